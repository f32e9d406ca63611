// The row solver: every row of every model, exactly, in one of two orientations.
//
// With D = w0·diag(ω) + λ·diag(ρ) + diag(κ) the gathered rows are scaled to Z = diag(a)^½ Y D^−½ (n × k), and
//
//     dual   (n < 0.9 k, all a > 0):  (I_n + Z Zᵀ) t = g,  g = a^−½ b − Z D^−½ h,   x = D^−½ (Zᵀ t + D^−½ h)
//     primal (otherwise):             (I_k + Zᵀ S Z) s = D^−½ (Σ b y + h),          x = D^−½ s,   S =
//     diag(sign a)
//
// by Cholesky in float32 and iterative refinement, nearly always one step. Where a component of D is 0,
// primal without scaling. A pivot that rounding has eaten sends the row to float64 (rows_float64.hpp). Which
// way a row goes depends on n, k, the level and the model's terms only.
#pragma once

#include "cholesky.hpp"
#include "rows_float64.hpp"
#include "rows_task.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

constexpr double dual_limit = 0.9;
// Entries gathered at a time by the primal.
inline int64_t panel_entries(int64_t k) {
    return k <= 128 ? 128 : 64;
}
// A pivot below this share of its diagonal is rounding noise. Scaled systems have pivots of at least 1 in
// exact arithmetic; unscaled ones may be singular in truth, and are looked at more closely.
constexpr float scaled_tolerance = 1e-6f;
// Refinement goes on until a step is this small beside the solution (nearly always the first), or gives up.
constexpr float settled_step = 1e-4f;
constexpr int most_refinements = 5;

inline bool uses_dual(int64_t n, int64_t k) {
    return (double)n < dual_limit * (double)k;
}

// Memory of one worker, carved from one allocation.
struct Scratch {
    float *scale, *weight, *rest, *rhs, *solution, *residual, *correction, *diagonal, *inverses;
    float *h_scaled, *scaled_x, *x;
    double *d, *total;
    float *factor, *panel, *panel_transposed;
    double* float64;
    size_t bytes;

    Scratch(const RowsTask& task, int64_t longest_row, char* base) {
        const int64_t k = task.width, kp = padded(k);
        // Rows of the largest system and of the largest dual panel.
        const int64_t n_dual = padded(longest_row < k ? longest_row : k);
        const int64_t m = kp > n_dual ? kp : n_dual;
        const int64_t rows = n_dual > panel_entries(k) ? n_dual : panel_entries(k);
        size_t used = 0;
        const auto take = [&](int64_t n, size_t size) {
            char* p = base + used;
            used += ((size_t)n * size + 63) / 64 * 64;
            return p;
        };
        scale = (float*)take(kp, 4);
        h_scaled = (float*)take(kp, 4);
        scaled_x = (float*)take(kp, 4);
        x = (float*)take(kp, 4);
        weight = (float*)take(rows, 4);
        rest = (float*)take(rows, 4);
        rhs = (float*)take(m, 4);
        solution = (float*)take(m, 4);
        residual = (float*)take(m, 4);
        correction = (float*)take(m, 4);
        diagonal = (float*)take(m, 4);
        inverses = (float*)take(m / lanes * inverse_block, 4);
        d = (double*)take(kp, 8);
        total = (double*)take(kp, 8);
        factor = (float*)take(m * m, 4);
        panel = (float*)take(rows * kp, 4);
        panel_transposed = (float*)take(n_dual * kp, 4);
        float64 = (double*)take(k * k + 3 * k, 8);
        bytes = used;
    }
};

// One row's entries and terms.
struct Row {
    const RowsTask& task;
    int64_t index;  // in the block
    int64_t begin;  // its entries [begin, begin + n) of the block's entry arrays
    int64_t n;

    const float* fixed(int64_t e) const {
        const int64_t i = task.indices[begin + e];
        return task.shards[i >> task.shard_shift] + (i & task.shard_mask) * task.width;
    }
    float term(const EntryTerm& t, int64_t e) const {
        if (t.array != nullptr) return t.array[begin + e];
        const double value = task.values != nullptr ? task.values[begin + e] : 1.0;
        return (float)(t.constant + t.slope * value);
    }
    float a(int64_t e) const { return term(task.a, e); }
    // b, or the target, with the fixed side's own bias taken off.
    float target(int64_t e, float a) const {
        const float t = term(task.b, e);
        if (!task.bias_column) return t;
        const float bias = fixed(e)[task.width - 1];
        return task.b_is_target ? t - bias : t - a * bias;
    }
};

// The columns [c, c + lanes) of a fixed row, with a 1 in the place of its bias and zeros beyond the width.
ALTERNANT_INLINE Vec load_columns(const float* y, int64_t c, int64_t width, bool bias_column) {
    const int64_t left = width - c;
    if (left > lanes) return load(y + c);
    if (bias_column) return load_part(y + c, (int)left - 1) + unit((int)left - 1);
    return left == lanes ? load(y + c) : load_part(y + c, (int)left);
}

ALTERNANT_INLINE void clear(float* p, int64_t n) {
    for (int64_t i = 0; i < n; ++i) p[i] = 0.0f;
}

// n : a multiple of lanes.
ALTERNANT_INLINE double dot_float64(const float* x, const float* y, int64_t n) {
    double sums[lanes] = {};
    for (int64_t i = 0; i < n; i += lanes) {
        for (int64_t j = 0; j < lanes; ++j) sums[j] += (double)x[i + j] * (double)y[i + j];
    }
    for (int half = lanes / 2; half > 0; half /= 2) {
        for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
    }
    return sums[0];
}

// |step| ≤ settled_step · |x|, in float64: squares of float32 numbers may overflow or vanish.
ALTERNANT_INLINE bool is_small(const float* step, const float* x, int64_t n) {
    return dot_float64(step, step, n) <= (double)settled_step * settled_step * dot_float64(x, x, n);
}

// Element (i, i) of a symmetric matrix of `size` rows in panel layout.
ALTERNANT_INLINE float* diagonal_element(float* matrix, int64_t size, int64_t i) {
    return matrix + (i / lanes) * size * lanes + i * lanes + i % lanes;
}

// Gather the row for the dual: Z in rows (scratch.panel) and transposed, g in scratch.rhs, and in
// scratch.rest the part Z D^−½ h that g has lost.
inline void gather_dual(const Row& row, Scratch& s, const float* h_scaled) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k), np = padded(row.n);
    for (int64_t e = 0; e < row.n; ++e) {
        const float a = row.a(e);
        const float root = __builtin_sqrtf(a);
        const float t = row.target(e, a);
        s.weight[e] = root;
        s.rhs[e] = task.b_is_target ? root * t : t / root;
    }
    for (int64_t e = row.n; e < np; ++e) s.weight[e] = s.rhs[e] = 0.0f;
    clear(s.rest, np);
    for (int64_t first = 0; first < np; first += lanes) {
        Vec dots[lanes];
        for (int r = 0; r < lanes; ++r) dots[r] = Vec{};
        for (int64_t c = 0; c < kp; c += lanes) {
            const Vec scale = load(s.scale + c);
            Vec rows[lanes];
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) {
                // Rows of padding repeat the last one with weight 0, so that no branch is needed.
                const int64_t e = first + r < row.n ? first + r : row.n - 1;
                rows[r] = load_columns(row.fixed(e), c, k, task.bias_column) * scale * s.weight[first + r];
                store(s.panel + (first + r) * kp + c, rows[r]);
                if (h_scaled != nullptr) dots[r] += rows[r] * load(h_scaled + c);
            }
            transpose(rows);
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) store(s.panel_transposed + first * kp + (c + r) * lanes, rows[r]);
        }
        if (h_scaled != nullptr) {
            store(s.rest + first, sum_rows(dots));
            store(s.rhs + first, load(s.rhs + first) - load(s.rest + first));
        }
    }
}

// out (padded(n) floats) = Z x for the dual's transposed panel.
ALTERNANT_INLINE void multiply_panel(const float* transposed, int64_t n_padded, int64_t kp, const float* x,
                                     float* out) {
    for (int64_t first = 0; first < n_padded; first += lanes) {
        const float* block = transposed + first * kp;
        Vec sums[4] = {};
        for (int64_t c = 0; c < kp; c += 4) {
#pragma GCC unroll 4
            for (int64_t i = 0; i < 4; ++i) sums[i] += x[c + i] * load(block + (c + i) * lanes);
        }
        store(out + first, (sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
}

// x (kp floats) += Zᵀ t for the dual's panel.
ALTERNANT_INLINE void add_combined_rows(const float* panel, int64_t n_padded, int64_t kp, const float* t,
                                        float* x) {
    for (int64_t first = 0; first < n_padded; first += lanes) {
        for (int64_t c = 0; c < kp; c += lanes) {
            store(x + c, load(x + c) + combine(t + first, panel + first * kp + c, kp));
        }
    }
}

// What an entry adds to the objective: v² = (g − p)², less the constant g² unless targets are given. Taken
// together, since g² = b²/a may be far larger than what is left.
ALTERNANT_INLINE double entry_loss(double g, double p, bool b_is_target) {
    return b_is_target ? (g - p) * (g - p) : p * (p - 2.0 * g);
}

// Dual solve; leaves D^½ x in scratch.scaled_x.
//
// The refinement takes its residual from the rows, not from the rounded I + ZZᵀ: with x̂ = Zᵀt and v = g − Z
// x̂, ρ = v − t, (I + ZZᵀ) δ = ρ, t += δ, x̂ += Zᵀδ; the objective |v|² + |x̂|² falls by ρᵀ(ρ − δ).
inline bool solve_dual(const Row& row, Scratch& s, const float* h_scaled, double& loss) {
    const int64_t k = row.task.width, kp = padded(k), np = padded(row.n), n_blocks = np / lanes;
    gather_dual(row, s, h_scaled);
    for (int64_t i = 0; i < np * np; ++i) s.factor[i] = 0.0f;
    for (int64_t i = 0; i < np; ++i) *diagonal_element(s.factor, np, i) = 1.0f;
    rank_update<false>(s.panel_transposed, kp, k, row.n, s.factor);
    for (int64_t i = 0; i < np; ++i) s.diagonal[i] = *diagonal_element(s.factor, np, i);
    if (!factorize(s.factor, n_blocks, s.diagonal, scaled_tolerance, s.inverses)) return false;

    float *t = s.solution, *rest = s.residual, *step = s.correction;
    for (int64_t i = 0; i < np; ++i) t[i] = s.rhs[i];
    solve_factorized(s.factor, s.inverses, n_blocks, t);
    clear(s.scaled_x, kp);
    add_combined_rows(s.panel, np, kp, t, s.scaled_x);
    bool settled = false;
    for (int i = 0; i < most_refinements && !settled; ++i) {
        multiply_panel(s.panel_transposed, np, kp, s.scaled_x, rest);
        loss = dot_float64(s.scaled_x, s.scaled_x, kp);
        for (int64_t e = 0; e < np; ++e) {
            loss +=
                entry_loss((double)s.rhs[e] + s.rest[e], (double)rest[e] + s.rest[e], row.task.b_is_target);
            step[e] = rest[e] = (s.rhs[e] - rest[e]) - t[e];
        }
        solve_factorized(s.factor, s.inverses, n_blocks, step);
        for (int64_t e = 0; e < np; ++e) {
            loss -= (double)rest[e] * ((double)rest[e] - step[e]);
            t[e] += step[e];
        }
        add_combined_rows(s.panel, np, kp, step, s.scaled_x);
        settled = is_small(step, t, np);
    }
    if (!settled) return false;

    if (h_scaled != nullptr) {
        loss -= dot_float64(h_scaled, h_scaled, kp);
        for (int64_t c = 0; c < kp; ++c) s.scaled_x[c] += h_scaled[c];
    }
    return true;
}

// Gather the row panel by panel into scratch.factor (I or D, plus w0·G, plus Zᵀ S Z) and scratch.rhs.
inline void build_primal(const Row& row, Scratch& s, bool scaled, double w0) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k), stride = kp * lanes;
    const int64_t rows = panel_entries(k);
    for (int64_t c = 0; c < kp; ++c) {
        s.rhs[c] = task.h != nullptr && c < k ? s.scale[c] * task.h[row.index * k + c] : 0.0f;
    }
    for (int64_t i = 0; i < kp * kp; ++i) s.factor[i] = 0.0f;
    for (int64_t first = 0; first < row.n; first += rows) {
        const int64_t n_entries = row.n - first < rows ? row.n - first : rows;
        // Entries of positive a from the front of the panel, of negative a behind them; a = 0 only joins the
        // right side.
        int64_t n_positive = 0, n_negative = 0;
        for (int64_t i = 0; i < n_entries; ++i) {
            const float a = row.a(first + i);
            s.weight[i] = a;
            n_positive += a > 0.0f;
            n_negative += a < 0.0f;
        }
        int64_t positive = 0, negative = n_positive;
        for (int64_t i = 0; i < n_entries; ++i) {
            const float a = s.weight[i];
            const float t = row.target(first + i, a);
            const float b = task.b_is_target ? a * t : t;
            const float root = __builtin_sqrtf(__builtin_fabsf(a));
            const float* y = row.fixed(first + i);
            const int64_t place = a > 0.0f ? positive++ : a < 0.0f ? negative++ : -1;
            for (int64_t c = 0; c < kp; c += lanes) {
                const Vec z = load_columns(y, c, k, task.bias_column) * load(s.scale + c);
                store(s.rhs + c, load(s.rhs + c) + b * z);
                if (place >= 0) store(s.panel + c * rows + place * lanes, root * z);
            }
        }
        rank_update<false>(s.panel, rows, n_positive, k, s.factor);
        if (n_negative > 0) {
            rank_update<true>(s.panel + n_positive * lanes, rows, n_negative, k, s.factor);
        }
    }
    for (int64_t i = 0; i < kp; ++i) {
        *diagonal_element(s.factor, kp, i) += scaled || i >= k ? 1.0f : (float)s.d[i];
    }
    if (task.gram != nullptr && w0 != 0.0) {
        for (int64_t i = 0; i < k; ++i) {
            for (int64_t j = i / lanes * lanes; j < k; ++j) {
                s.factor[(j / lanes) * stride + i * lanes + j % lanes] +=
                    (float)(w0 * s.scale[i] * s.scale[j] * task.gram[i * k + j]);
            }
        }
    }
    for (int64_t i = 0; i < kp; ++i) s.diagonal[i] = *diagonal_element(s.factor, kp, i);
}

// What scratch.x leaves of the right side, times the scale, to scratch.residual; returns the objective there.
//
// From the rows themselves, not from the rounded system, and summed over the entries in float64: where terms
// are alike (a constant column, a bias), rounding errors of one sign would add up. With p = y·x an entry
// leaves b − a p and costs a p² − 2 b p, or a (t − p)² where b holds targets.
inline double find_residual(const Row& row, Scratch& s, double w0) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k);
    double loss = 0.0;
    for (int64_t c = 0; c < kp; ++c) {
        const double h = task.h != nullptr && c < k ? task.h[row.index * k + c] : 0.0;
        const double dx = c < k ? s.d[c] * s.x[c] : 0.0;
        s.total[c] = h - dx;
        loss += (dx - 2.0 * h) * s.x[c];
    }
    if (task.gram != nullptr && w0 != 0.0) {
        for (int64_t i = 0; i < k; ++i) {
            double gx = 0.0;
            for (int64_t j = 0; j < k; ++j) gx += (double)task.gram[i * k + j] * s.x[j];
            s.total[i] -= w0 * gx;
            loss += w0 * gx * s.x[i];
        }
    }
    for (int64_t first = 0; first < row.n; first += lanes) {
        const int64_t count = row.n - first < lanes ? row.n - first : lanes;
        const float* y[lanes];
        Vec dots[lanes];
        for (int r = 0; r < lanes; ++r) {
            y[r] = row.fixed(first + (r < count ? r : count - 1));
            dots[r] = Vec{};
        }
        for (int64_t c = 0; c < kp; c += lanes) {
            const Vec x = load(s.x + c);
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) dots[r] += load_columns(y[r], c, k, task.bias_column) * x;
        }
        alignas(64) float left[lanes];
        store(left, sum_rows(dots));
        for (int r = 0; r < lanes; ++r) {
            const float p = left[r];
            left[r] = 0.0f;
            if (r >= count) continue;
            const float a = row.a(first + r), t = row.target(first + r, a);
            left[r] = task.b_is_target ? a * (t - p) : t - a * p;
            loss += task.b_is_target ? (double)a * (t - p) * (t - p) : ((double)a * p - 2.0 * t) * p;
        }
        for (int64_t c = 0; c < kp; c += lanes) {
            Vec even = {}, odd = {};
#pragma GCC unroll 16
            for (int r = 0; r < lanes; r += 2) {
                even += left[r] * load_columns(y[r], c, k, task.bias_column);
                odd += left[r + 1] * load_columns(y[r + 1], c, k, task.bias_column);
            }
            const Vec sum = even + odd;
            for (int j = 0; j < lanes; ++j) s.total[c + j] += sum[j];
        }
    }
    for (int64_t c = 0; c < kp; ++c) s.residual[c] = (float)(s.total[c] * s.scale[c]);
    return loss;
}

// Primal solve; leaves D^½ x (x itself where the row is not scaled) in scratch.scaled_x.
inline bool solve_primal(const Row& row, Scratch& s, bool scaled, double w0, double& loss) {
    const int64_t kp = padded(row.task.width), n_blocks = kp / lanes;
    build_primal(row, s, scaled, w0);
    const float tolerance = scaled ? scaled_tolerance : 4e-7f * (float)kp;
    if (!factorize(s.factor, n_blocks, s.diagonal, tolerance, s.inverses)) return false;
    for (int64_t c = 0; c < kp; ++c) s.scaled_x[c] = s.rhs[c];
    solve_factorized(s.factor, s.inverses, n_blocks, s.scaled_x);
    bool settled = false;
    for (int i = 0; i < most_refinements && !settled; ++i) {
        for (int64_t c = 0; c < kp; ++c) s.x[c] = s.scaled_x[c] * s.scale[c];
        loss = find_residual(row, s, w0);
        for (int64_t c = 0; c < kp; ++c) s.correction[c] = s.residual[c];
        solve_factorized(s.factor, s.inverses, n_blocks, s.correction);
        // A step d along the residual r lowers the objective by rᵀ d.
        loss -= dot_float64(s.residual, s.correction, kp);
        for (int64_t c = 0; c < kp; ++c) s.scaled_x[c] += s.correction[c];
        settled = is_small(s.correction, s.scaled_x, kp);
    }
    return settled;
}

// Solve one row into task.out and task.losses.
inline RowFailure solve_row(const Row& row, Scratch& s) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k);
    const double w0 = task.w0 != nullptr ? task.w0[row.index] : 0.0;
    const double ridge = task.ridge[row.index];
    float* out = task.out + row.index * k;
    double& loss = task.losses[row.index];

    bool scaled = true;
    for (int64_t c = 0; c < k; ++c) {
        s.d[c] = ridge * task.rho[c] + task.kappa[c];
        if (task.gram == nullptr && task.omega != nullptr) s.d[c] += w0 * task.omega[c];
        scaled = scaled && s.d[c] > 0.0;
    }
    for (int64_t c = 0; c < kp; ++c) {
        s.scale[c] = c >= k ? 0.0f : scaled ? (float)(1.0 / __builtin_sqrt(s.d[c])) : 1.0f;
    }
    bool positive = true;
    for (int64_t e = 0; e < row.n && positive; ++e) positive = row.a(e) > 0.0f;
    const float* h = nullptr;
    if (task.h != nullptr && scaled) {
        for (int64_t c = 0; c < kp; ++c)
            s.h_scaled[c] = c < k ? s.scale[c] * task.h[row.index * k + c] : 0.0f;
        h = s.h_scaled;
    }
    bool solved;
    if (row.n == 0 && task.h == nullptr) {
        for (int64_t c = 0; c < k; ++c) out[c] = 0.0f;
        loss = task.penalties[row.index] = 0.0;
        return RowFailure::none;
    }
    if (row.n > 0 && scaled && positive && task.gram == nullptr && uses_dual(row.n, k)) {
        solved = solve_dual(row, s, h, loss);
    } else {
        solved = solve_primal(row, s, scaled, w0, loss);
    }
    bool finite = solved;
    for (int64_t c = 0; c < k && finite; ++c) {
        out[c] = s.scaled_x[c] * s.scale[c];
        finite = __builtin_isfinite(out[c]);
    }
    const RowFailure failure =
        finite ? RowFailure::none : solve_row_float64(row, s.d, scaled && positive, w0, s.float64, out, loss);
    double& penalty = task.penalties[row.index];
    penalty = 0.0;
    for (int64_t c = 0; c < k; ++c) {
        penalty += (ridge * task.rho[c] + task.kappa[c]) * (double)out[c] * (double)out[c];
    }
    return failure;
}

// The caller has checked the offsets.
inline RowFailure check_row(const RowsTask& task, int64_t r) {
    const int64_t begin = task.offsets[r] - task.offsets[0], end = task.offsets[r + 1] - task.offsets[0];
    for (int64_t e = begin; e < end; ++e) {
        const int32_t i = task.indices[e];
        if (i < 0 || i >= task.n_fixed) return RowFailure::bad_index;
    }
    return RowFailure::none;
}

inline size_t rows_scratch_bytes(const RowsTask& task, int64_t longest_row) {
    return Scratch(task, longest_row, nullptr).bytes;
}

inline RowResult solve_rows(const RowsTask& task, int64_t first, int64_t last, int64_t longest_row,
                            void* scratch) {
    Scratch s(task, longest_row, (char*)scratch);
    for (int64_t r = first; r < last; ++r) {
        RowFailure failure = check_row(task, r);
        if (failure == RowFailure::none) {
            const int64_t begin = task.offsets[r] - task.offsets[0];
            failure = solve_row(Row{task, r, begin, task.offsets[r + 1] - task.offsets[r]}, s);
        }
        if (failure != RowFailure::none) return {r, failure};
    }
    return {};
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
