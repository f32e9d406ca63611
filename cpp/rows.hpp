// The row solver: every row of every model, exactly, in one of two orientations.
//
// With D = w0·diag(ω) + λ·diag(ρ) + diag(κ) the gathered rows are scaled to Z = diag(a)^½ Y D^−½ (n × k), and
//
//     dual   (n < 0.9 k, all a > 0):  (I_n + Z Zᵀ) t = g,  g = a^−½ b − Z D^−½ h,   x = D^−½ (Zᵀ t + D^−½ h)
//     primal (otherwise):             (I_k + Zᵀ S Z) s = D^−½ (Σ b y + h),          x = D^−½ s
//
// with S = diag(sign a), by Cholesky in float32 and iterative refinement, nearly always one step. Where a
// component of D is 0, primal without scaling. A pivot that rounding has eaten sends the row to float64
// (row_float64.hpp). Which way a row goes depends on n, k, the level and the model's terms only. Rows under x
// ≥ 0 or an L1 penalty go their own way (row_descent.hpp).
#pragma once

#include "row_cg.hpp"
#include "row_descent.hpp"
#include "row_dual.hpp"
#include "row_float64.hpp"
#include "row_primal.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

constexpr double dual_limit = 0.9;

inline bool uses_dual(int64_t n, int64_t k) {
    return (double)n < dual_limit * (double)k;
}

// D^−½ h.
inline const float* scale_h(const Row& row, Scratch& s) {
    const int64_t k = row.task.width;
    for (int64_t c = 0; c < padded(k); ++c) {
        s.h_scaled[c] = c < k ? s.scale[c] * row.task.h[row.index * k + c] : 0.0f;
    }
    return s.h_scaled;
}

// D to s.d and s.d32, D^−½ to s.scale; false, and a scale of 1, where a component of D is 0.
inline bool find_diagonal(const Row& row, double w0, Scratch& s) {
    const int64_t kp = padded(row.task.width);
    const double ridge = row.task.ridge[row.index];
    VecIndex zero = {};
    for (int64_t c = 0; c < kp; c += lanes) {
        const Wide d = ridge * load_wide(s.rho + c) + load_wide(s.kappa + c) + w0 * load_wide(s.omega + c);
        const Vec d32 = narrow(d);
        store_wide(s.d + c, d);
        store(s.d32 + c, d32);
        zero |= d32 <= 0.0f;
    }
    const bool scaled = !any(zero);
    for (int64_t c = 0; c < kp; ++c) s.scale[c] = scaled ? 1.0f / __builtin_sqrtf(s.d32[c]) : 1.0f;
    return scaled;
}

inline bool all_positive(const Row& row) {
    VecIndex bad = {};
    for (int64_t first = 0; first < row.n; first += lanes) {
        const int64_t count = row.n - first < lanes ? row.n - first : lanes;
        const VecIndex used = lane_numbers(AllLanes{}) < (int32_t)count;
        bad |= ~(term_of(row, row.task.a, first, count) > 0.0f) & used;
    }
    return !any(bad);
}

// Solve one row into task.out and task.losses.
inline RowFailure solve_row(const Row& row, Scratch& s) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k);
    const double w0 = task.w0 != nullptr ? task.w0[row.index] : 0.0;
    float* out = task.out + row.index * k;
    double& loss = task.losses[row.index];
    if (row.is_empty()) {
        for (int64_t c = 0; c < k; ++c) out[c] = 0.0f;
        loss = task.penalties[row.index] = 0.0;
        return RowFailure::none;
    }
    s.keep(task, row.n);
    const bool scaled = find_diagonal(row, w0, s);
    const bool definite = scaled && all_positive(row);
    const bool plain = definite && row.n > 0 && task.gram == nullptr;
    bool solved = plain && steps_pay(row, s) && solve_cg(row, s, loss);
    if (!solved) {
        if (plain && uses_dual(row.n, k)) {
            solved = solve_dual(row, s, task.h != nullptr ? scale_h(row, s) : nullptr, loss);
        } else {
            solved = solve_primal(row, s, scaled, w0, loss);
        }
        for (int64_t c = 0; c < kp; c += lanes) store(s.x + c, load(s.scaled_x + c) * load(s.scale + c));
    }
    Wide penalty = {};
    VecIndex bad = {};
    const Wide ridge = task.ridge[row.index] + Wide{};
    for (int64_t c = 0; c < kp; c += lanes) {
        const Vec x = c + lanes <= k ? load(s.x + c) : load_part(s.x + c, (int)(k - c));
        const Wide x64 = widen(x);
        penalty += (ridge * load_wide(s.rho + c) + load_wide(s.kappa + c)) * x64 * x64;
        bad |= ~((x - x) == 0.0f);
        if (c + lanes <= k) store(out + c, x);
    }
    for (int64_t c = k / lanes * lanes; c < k; ++c) out[c] = s.x[c];
    task.penalties[row.index] = sum(penalty);
    if (solved && !any(bad)) return RowFailure::none;

    const RowFailure failure = solve_row_float64(row, s.d, definite, w0, s.float64, out, loss);
    double total = 0.0;
    for (int64_t c = 0; c < k; ++c) {
        total += (task.ridge[row.index] * task.rho[c] + task.kappa[c]) * (double)out[c] * (double)out[c];
    }
    task.penalties[row.index] = total;
    return failure;
}

// The caller has checked the offsets.
inline RowFailure check_row(const RowsTask& task, int64_t r) {
    const int64_t begin = task.offsets[r] - task.offsets[0], end = task.offsets[r + 1] - task.offsets[0];
    uint32_t bad = 0;
    const uint32_t n_fixed = (uint32_t)task.n_fixed;
    for (int64_t e = begin; e < end; ++e) bad |= (uint32_t)task.indices[e] >= n_fixed;
    return bad != 0 ? RowFailure::bad_index : RowFailure::none;
}

inline size_t rows_scratch_bytes(const RowsTask& task, int64_t longest_row) {
    return task.descends ? DescentScratch(task, nullptr).bytes : Scratch(task, longest_row, nullptr).bytes;
}

template <class SomeScratch>
inline RowResult solve_each(const RowsTask& task, int64_t first, int64_t last, SomeScratch&& s) {
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

inline RowResult solve_rows(const RowsTask& task, int64_t first, int64_t last, int64_t longest_row,
                            void* scratch) {
    if (task.descends) return solve_each(task, first, last, DescentScratch(task, (char*)scratch));
    Scratch s(task, longest_row, (char*)scratch);
    s.pad_columns(task);
    return solve_each(task, first, last, s);
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
