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
    if (row.is_empty()) {
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
    return task.descends ? DescentScratch(task, nullptr).bytes : Scratch(task, longest_row, nullptr).bytes;
}

template <class SomeScratch>
inline RowResult solve_each(const RowsTask& task, int64_t first, int64_t last, SomeScratch s) {
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
    return solve_each(task, first, last, Scratch(task, longest_row, (char*)scratch));
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
