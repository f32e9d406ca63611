// Conjugate gradients on one row, from where it was: a few steps on
//
//     A x = c,   A = D + Σ a y yᵀ,   c = Σ b y + h,      preconditioned by  M = D + (Σ a) · Λ
//
// where the fixed side lies in a basis in which its second moment Λ is diagonal, or nearly. The part of the
// pairs that are not stored is in D there and costs nothing. The gradient at the start is taken from the
// gathered rows themselves, so that what the sweeps converge to is the exact solution. The rows are gathered
// once, into a panel that later passes stream, as far as it reaches; each pass does 2k multiply-adds an
// entry.
#pragma once

#include "row_groups.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// The steps end when rᵀM⁻¹r, about how far the row's objective lies above its minimum, has fallen to `gain`
// of what it was, or to cg_settled of xᵀM x. A row that has not got there after the most steps is left to the
// exact solvers. Explicit models leave their start slowly, and lag behind the exact path with fewer steps.
struct CgLimits {
    float gain;
    int least_steps;
};
constexpr CgLimits cg_implicit{0.01f, 1}, cg_explicit{0.003f, 3};
constexpr float cg_settled = 1e-10f;
constexpr int cg_most_steps = 8;
// Implicit rows whose condition number may be above this (see bound_condition) are solved exactly: steps gain
// little there, and lead to other minima than exact solutions do.
constexpr double cg_most_condition = 256.0;
// n : a multiple of lanes.
ALTERNANT_INLINE float dot(const float* x, const float* y, int64_t n) {
    Vec even = {}, odd = {};
    int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
        even += load(x + i) * load(y + i);
        odd += load(x + i + lanes) * load(y + i + lanes);
    }
    if (i < n) even += load(x + i) * load(y + i);
    return sum(even + odd);
}

// Σ (b − a y·x) y to s.residual, a to s.weight. Returns the entries' part of the objective at x.
inline double gather_residual(const Row& row, Scratch& s, const float* x, float& sum_a) {
    const RowsTask& task = row.task;
    const int64_t kp = padded(task.width);
    double loss = 0.0;
    Vec total_a = {}, part = {};
    alignas(64) float left[lanes];
    for (int64_t first = 0; first < row.n; first += lanes) {
        const int64_t count = row.n - first < lanes ? row.n - first : lanes;
        const float* rows = rows_of_group(row, s, first, true);
        const Vec a = term_of(row, task.a, first, count);
        const Vec b = target_of(row, first, count, a);
        const Vec p = group_dots(rows, kp, x);
        total_a += a;
        store(s.weight + first, a);
        store(left, task.b_is_target ? a * (b - p) : b - a * p);
        part += task.b_is_target ? a * (b - p) * (b - p) : (a * p - 2.0f * b) * p;
        if ((first / lanes) % 16 == 15) {
            loss += sum(part);
            part = Vec{};
        }
        add_group(rows, kp, left, s.residual, [&](int r) { row.prefetch(first + prefetch_distance + r); });
    }
    sum_a = sum(total_a);
    return loss + sum(part);
}

// image += Σ a (y·x) y.
inline void add_image(const Row& row, Scratch& s, const float* x, float* image) {
    const int64_t kp = padded(row.task.width);
    alignas(64) float left[lanes];
    for (int64_t first = 0; first < row.n; first += lanes) {
        const float* rows = rows_of_group(row, s, first, false);
        store(left, group_dots(rows, kp, x) * load(s.weight + first));
        add_group(rows, kp, left, image, [&](int r) { prefetch_unkept(row, s, first + r); });
    }
}

// At most so much is D^−½ A D^−½ conditioned where all of a, w0 and G are positive, and D = w0 G + λ: as the
// row's Σ y yᵀ is at most G, it is at most 1 + max(a) · ω / (w0 ω + λ) with the largest ω.
inline double bound_condition(const Row& row, const Scratch& s) {
    Vec most = {};
    for (int64_t first = 0; first < row.n; first += lanes) {
        const Vec a = term_of(row, row.task.a, first, row.n - first < lanes ? row.n - first : lanes);
        most = a > most ? a : most;
    }
    float largest = 0.0f;
    for (int i = 0; i < lanes; ++i) largest = most[i] > largest ? most[i] : largest;
    return 1.0 + largest * s.omega[0] / s.d[0];  // the strongest direction comes first
}

// Whether steps are the way for a row.
inline bool steps_pay(const Row& row, const Scratch& s) {
    return row.task.iterative && row.n >= least_iterative_entries(row.task.width) &&
           (row.task.omega == nullptr || bound_condition(row, s) <= cg_most_condition);
}

// Step from task.start to s.x. False where the steps did not get there, or there is no start.
//
// A step along z of length α = rᵀz / zᵀA z lowers the objective by α rᵀz.
inline bool solve_cg(const Row& row, Scratch& s, double& loss) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k);
    float *x = s.x, *r = s.residual, *direction = s.correction, *image = s.solution, *inverse = s.rhs;
    const float* start = task.start != nullptr ? task.start + row.index * k : nullptr;
    const float* h = task.h != nullptr ? task.h + row.index * k : nullptr;
    Vec any = {};
    for (int64_t c = 0; c < kp; c += lanes) {
        const Vec xc = start == nullptr ? Vec{}
                       : c + lanes <= k ? load(start + c)
                                        : load_part(start + c, (int)(k - c));
        store(x + c, xc);
        store(r + c, Vec{});
        any += xc * xc;
    }
    // Without a start there is the whole way to go, and no gain of earlier sweeps to build on.
    if (!(sum(any) > 0.0f)) return false;
    float sum_a;
    loss = gather_residual(row, s, x, sum_a);
    const float* d = s.d32;
    Vec own = {}, rest = {}, size = {};
    for (int64_t c = 0; c < kp; c += lanes) {
        const Vec xc = load(x + c), dc = load(d + c);
        const Vec hc = h == nullptr ? Vec{} : c + lanes <= k ? load(h + c) : load_part(h + c, (int)(k - c));
        own += xc * (dc * xc - 2.0f * hc);
        const Vec rc = load(r + c) + (hc - dc * xc);
        const Vec m = task.spread != nullptr ? dc + sum_a * load(s.spread + c) : dc;
        const Vec z = rc / m;
        store(r + c, rc);
        store(inverse + c, 1.0f / m);
        store(direction + c, z);
        rest += rc * z;
    }
    loss += sum(own);
    float slope = sum(rest);
    const CgLimits& limits = task.omega != nullptr ? cg_implicit : cg_explicit;
    const float enough = limits.gain * slope;
    if (slope == 0.0f) return true;
    for (int step = 1; step <= cg_most_steps; ++step) {
        for (int64_t c = 0; c < kp; c += lanes) store(image + c, load(d + c) * load(direction + c));
        add_image(row, s, direction, image);
        const float curvature = dot(direction, image, kp);
        if (!(curvature > 0.0f)) return false;
        const float length = slope / curvature;
        loss -= (double)length * slope;
        rest = size = Vec{};
        for (int64_t c = 0; c < kp; c += lanes) {
            const Vec xc = load(x + c) + length * load(direction + c);
            const Vec rc = load(r + c) - length * load(image + c), z = rc * load(inverse + c);
            store(x + c, xc);
            store(r + c, rc);
            store(image + c, z);
            rest += rc * z;
            size += xc * xc / load(inverse + c);
        }
        const float new_slope = sum(rest);
        if ((new_slope <= enough && step >= limits.least_steps) || new_slope <= cg_settled * sum(size))
            return true;
        const float turn = new_slope / slope;
        slope = new_slope;
        for (int64_t c = 0; c < kp; c += lanes) {
            store(direction + c, load(image + c) + turn * load(direction + c));
        }
    }
    return false;
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
