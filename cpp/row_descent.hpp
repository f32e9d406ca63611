// Rows under x ≥ 0 or an L1 penalty: coordinate descent on the row's k × k system, in float64.
//
//     minimise  f(x) = xᵀ M x − 2 cᵀ x + l1 Σ |x_c|,   M = w0·G + Σ a y yᵀ + λ·diag(ρ) + diag(κ),   c = Σ b y
//     + h
//
// with all x_c ≥ 0 where asked; a bias column is under neither. A cycle moves one coordinate after the other
// to the minimum over it alone, while g = M x − c follows by a row of M. The row is settled when no
// coordinate is further from its minimum than descent_tolerance · √(Σ c_c² / M_cc), measured by √M_cc |Δ|,
// which no column's unit changes.
//
// Cycles find soon which coordinates are 0 and slowly what the others are. So after every few of them those
// others go to their common minimum, by elimination on their part of M. f falls with every step of either
// kind.
#pragma once

#include "row_descent_system.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

constexpr double descent_tolerance = 1e-7;
constexpr int cycles_per_face = 4;
// Where M is singular but for rounding, a row may end here, unsettled, at the lowest f so far; others need
// some 30.
constexpr int most_cycles = 1000;
// A pivot below this share of its diagonal is rounding noise.
constexpr double face_tolerance = 1e-8;

// What the columns of a row are under.
struct Limits {
    const RowsTask& task;
    double l1;

    bool is_bias(int64_t c) const { return task.bias_column && c == task.width - 1; }
    bool nonnegative(int64_t c) const { return task.nonnegative && !is_bias(c); }
    double half_l1(int64_t c) const { return is_bias(c) ? 0.0 : l1 / 2.0; }
    bool keeps_sign(int64_t c) const { return !is_bias(c) && (task.nonnegative || l1 > 0.0); }
};

// Where f over column c alone is least.
ALTERNANT_INLINE double least(const Limits& limits, int64_t c, const DescentScratch& s) {
    const double free = s.x[c] - s.gradient[c] * s.inverse[c], shrink = limits.half_l1(c) * s.inverse[c];
    if (free > shrink) return free - shrink;
    return limits.nonnegative(c) || free >= -shrink ? 0.0 : free + shrink;
}

inline void find_gradient(int64_t kp, DescentScratch& s) {
    for (int64_t c = 0; c < kp; ++c) s.gradient[c] = -s.rhs[c];
    for (int64_t c = 0; c < kp; ++c) {
        if (s.x[c] != 0.0) add_multiple(s.x[c], s.matrix + c * kp, kp, s.gradient);
    }
}

// Solve the first n rows and columns of scratch.factor (symmetric; on and right of the diagonal) and
// scratch.right into scratch.step by elimination. Coordinates whose pivot rounding has eaten get 0. Returns
// false where a pivot is negative.
inline bool solve_face(int64_t n, int64_t kp, DescentScratch& s) {
    const int64_t np = padded(n);
    for (int64_t p = 0; p < n; ++p) {
        double* row = s.factor + p * kp;
        const double pivot = row[p], noise = face_tolerance / s.inverse[s.face[p]];
        if (!(pivot > noise)) {
            if (!(pivot >= -noise)) return false;
            for (int64_t j = p + 1; j < n; ++j) row[j] = 0.0;
            row[p] = 1.0;
            s.right[p] = 0.0;
            continue;
        }
        for (int64_t i = p + 1; i < n; ++i) {
            const double share = row[i] / pivot;
            const int64_t j = i / lanes64 * lanes64;
            add_multiple(-share, row + j, np - j, s.factor + i * kp + j);
            s.right[i] -= share * s.right[p];
        }
    }
    for (int64_t i = 0; i < np; ++i) s.step[i] = 0.0;
    for (int64_t i = n - 1; i >= 0; --i) {
        Vec64 sums = {};
        for (int64_t j = i / lanes64 * lanes64; j < np; j += lanes64) {
            sums += *(const Vec64*)(s.factor + i * kp + j) * *(const Vec64*)(s.step + j);
        }
        double sum = 0.0;
        for (int lane = 0; lane < lanes64; ++lane) sum += sums[lane];
        s.step[i] = (s.right[i] - sum) / s.factor[i * kp + i];
    }
    return true;
}

// f less its constant, where scratch.gradient is up to date.
inline double find_objective(const Limits& limits, const DescentScratch& s) {
    double f = 0.0;
    for (int64_t c = 0; c < limits.task.width; ++c) {
        f += s.x[c] * (s.gradient[c] - s.rhs[c]) + 2.0 * limits.half_l1(c) * __builtin_fabs(s.x[c]);
    }
    return f;
}

// Go to the minimum of f over the coordinates that are not 0, or that may have any sign; those whose sign
// would turn on the way become 0. Returns false where M is seen not to be positive semidefinite.
inline bool descend_on_face(const Limits& limits, DescentScratch& s) {
    const int64_t k = limits.task.width, kp = padded(k);
    double f = find_objective(limits, s);
    for (bool whole = false; !whole;) {
        int64_t n = 0;
        for (int64_t c = 0; c < k; ++c) {
            if (s.x[c] != 0.0 || (!limits.keeps_sign(c) && s.inverse[c] > 0.0)) s.face[n++] = c;
        }
        for (int64_t i = 0; i < n; ++i) {
            const int64_t c = s.face[i];
            for (int64_t j = i / lanes64 * lanes64; j < padded(n); ++j) {
                s.factor[i * kp + j] = j < n ? s.matrix[c * kp + s.face[j]] : 0.0;
            }
            const double pull = limits.half_l1(c);
            s.right[i] = -s.gradient[c] - (s.x[c] > 0.0 ? pull : -pull);
            s.before[i] = s.x[c];
        }
        if (!solve_face(n, kp, s)) return false;
        // The whole step, with a 0 for every sign that turns; half of it, and so on, while f does not fall by
        // that. Up to the first sign that turns, it does.
        double first_turn = 1.0, lower = f;
        for (double length = 1.0;;) {
            int64_t n_turns = 0;
            for (int64_t i = 0; i < n; ++i) {
                const double x = s.before[i], end = x + length * s.step[i], turn = -x / s.step[i];
                const bool turns = limits.keeps_sign(s.face[i]) && turn >= 0.0 && turn <= length;
                s.x[s.face[i]] = turns ? 0.0 : end;
                n_turns += turns;
                if (turns && turn < first_turn) first_turn = turn;
            }
            find_gradient(kp, s);
            lower = find_objective(limits, s);
            whole = n_turns == 0;
            if (whole || lower < f || length <= first_turn) break;
            length = length / 2.0 > first_turn ? length / 2.0 : first_turn;
        }
        f = lower;
    }
    return true;
}

// Whether no coordinate is further from its minimum than the tolerance.
inline bool is_settled(const Limits& limits, double least_square, const DescentScratch& s) {
    for (int64_t c = 0; c < limits.task.width; ++c) {
        const double step = least(limits, c, s) - s.x[c];
        if (step * step > least_square * s.inverse[c]) return false;
    }
    return true;
}

// Descend from scratch.x, which becomes the solution. Returns false where M is seen not to be positive
// semidefinite.
inline bool descend(const Limits& limits, DescentScratch& s) {
    const int64_t k = limits.task.width, kp = padded(k);
    double square = 0.0;
    for (int64_t c = 0; c < k; ++c) square += s.rhs[c] * s.rhs[c] * s.inverse[c];
    square *= descent_tolerance * descent_tolerance;
    find_gradient(kp, s);
    for (int cycle = 1; cycle <= most_cycles && !is_settled(limits, square, s); ++cycle) {
        for (int64_t c = 0; c < k; ++c) {
            const double x = least(limits, c, s), step = x - s.x[c];
            if (step == 0.0) continue;
            s.x[c] = x;
            add_multiple(step, s.matrix + c * kp, kp, s.gradient);
        }
        if (cycle % cycles_per_face == 0 && !descend_on_face(limits, s)) return false;
    }
    return true;
}

// Put the start into scratch.x, and 1 / M_cc into scratch.inverse. A column of M that is all 0 stays at 0,
// with scratch.inverse 0, where that is a minimum.
inline RowFailure start_descent(const Row& row, const Limits& limits, DescentScratch& s) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k);
    bool zero = true;  // without a right side x = 0 is the solution
    for (int64_t c = 0; c < k; ++c) {
        zero = zero && s.rhs[c] == 0.0;
        if (!__builtin_isfinite(s.rhs[c] + s.matrix[c * kp + c])) return RowFailure::not_finite;
    }
    for (int64_t c = 0; c < kp; ++c) {
        const double diagonal = s.matrix[c * kp + c], limit = limits.half_l1(c);
        s.x[c] = s.inverse[c] = 0.0;
        if (c >= k) continue;
        if (diagonal > 0.0) {
            s.inverse[c] = 1.0 / diagonal;
            if (task.start == nullptr || zero) continue;
            const double x = task.start[row.index * k + c];
            s.x[c] = limits.nonnegative(c) && !(x > 0.0) ? 0.0 : x;
            continue;
        }
        bool flat = s.rhs[c] <= limit && (s.rhs[c] >= -limit || limits.nonnegative(c));
        for (int64_t j = 0; j < k; ++j) flat = flat && s.matrix[c * kp + j] == 0.0;
        if (!flat) return RowFailure::singular;
    }
    return RowFailure::none;
}

// Solve one row into task.out, task.losses and task.penalties.
inline RowFailure solve_row(const Row& row, DescentScratch& s) {
    const RowsTask& task = row.task;
    const int64_t k = task.width;
    const Limits limits{task, task.l1 != nullptr ? task.l1[row.index] : 0.0};
    float* out = task.out + row.index * k;
    double loss = 0.0, penalty = 0.0;
    if (row.is_empty()) {
        for (int64_t c = 0; c < k; ++c) out[c] = 0.0f;
    } else {
        loss = build_descent(row, task.w0 != nullptr ? task.w0[row.index] : 0.0, s);
        const RowFailure failure = start_descent(row, limits, s);
        if (failure != RowFailure::none) return failure;
        if (!descend(limits, s)) return RowFailure::singular;
        for (int64_t c = 0; c < k; ++c) s.x[c] = out[c] = (float)s.x[c];
        // f and the penalty of the rounded x.
        find_gradient(padded(k), s);
        for (int64_t c = 0; c < k; ++c) {
            const double size = 2.0 * limits.half_l1(c) * __builtin_fabs(s.x[c]);
            loss += s.x[c] * (s.gradient[c] - s.rhs[c]) + size;
            penalty += s.ridge[c] * s.x[c] * s.x[c] + size;
        }
    }
    task.losses[row.index] = loss;
    task.penalties[row.index] = penalty;
    return __builtin_isfinite(loss) ? RowFailure::none : RowFailure::not_finite;
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
