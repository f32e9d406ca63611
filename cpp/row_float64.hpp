// One row in plain float64: what rows.hpp falls back on when rounding in float32 has eaten a pivot.
#pragma once

#include "rows_task.hpp"
#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// `d` : the diagonal part D, shape (k); `definite` : all of D and all a are positive. `memory` : k² + 3k
// doubles.
template <class Row>
RowFailure solve_row_float64(const Row& row, const double* d, bool definite, double w0, double* memory,
                             float* out, double& loss) {
    const RowsTask& task = row.task;
    const int64_t k = task.width;
    double *matrix = memory, *rhs = matrix + k * k, *x = rhs + k, *diagonal = x + k;
    double square = 0.0;
    for (int64_t i = 0; i < k; ++i) {
        rhs[i] = task.h != nullptr ? task.h[row.index * k + i] : 0.0;
        for (int64_t j = 0; j <= i; ++j) {
            matrix[i * k + j] =
                (i == j ? d[i] : 0.0) + (task.gram != nullptr ? w0 * task.gram[i * k + j] : 0.0);
        }
    }
    for (int64_t e = 0; e < row.n; ++e) {
        const double a = row.a(e), t = row.target(e, row.a(e)), b = task.b_is_target ? a * t : t;
        if (task.b_is_target) square += a * t * t;
        const float* y = row.fixed(e);
        for (int64_t i = 0; i < k; ++i) x[i] = task.bias_column && i == k - 1 ? 1.0 : y[i];
        for (int64_t i = 0; i < k; ++i) {
            rhs[i] += b * x[i];
            for (int64_t j = 0; j <= i; ++j) matrix[i * k + j] += a * x[i] * x[j];
        }
    }
    // A = LLᵀ in place, row by row.
    for (int64_t i = 0; i < k; ++i) diagonal[i] = matrix[i * k + i];
    const double tolerance = 4.4e-16 * (double)(k + row.n);
    for (int64_t i = 0; i < k; ++i) {
        for (int64_t j = 0; j <= i; ++j) {
            double v = matrix[i * k + j];
            for (int64_t q = 0; q < j; ++q) v -= matrix[i * k + q] * matrix[j * k + q];
            const double least = tolerance * diagonal[i];
            if (i != j) {
                matrix[i * k + j] = v / matrix[j * k + j];
            } else if (v > least) {
                matrix[i * k + i] = __builtin_sqrt(v);
            } else if (definite && __builtin_isfinite(v)) {
                // There is a solution: the ridge, far smaller than what was rounded off, is lost in it. The
                // data say nothing in this direction, and noise over a larger pivot is less noise.
                matrix[i * k + i] = __builtin_sqrt(-v > least ? -v : least);
            } else {
                return __builtin_isfinite(v) ? RowFailure::singular : RowFailure::not_finite;
            }
        }
    }
    for (int64_t i = 0; i < k; ++i) {
        double v = rhs[i];
        for (int64_t q = 0; q < i; ++q) v -= matrix[i * k + q] * x[q];
        x[i] = v / matrix[i * k + i];
    }
    for (int64_t i = k - 1; i >= 0; --i) {
        double v = x[i];
        for (int64_t q = i + 1; q < k; ++q) v -= matrix[q * k + i] * x[q];
        x[i] = v / matrix[i * k + i];
    }
    loss = square;
    for (int64_t i = 0; i < k; ++i) {
        out[i] = (float)x[i];
        loss -= rhs[i] * x[i];
        if (!__builtin_isfinite(out[i])) return RowFailure::not_finite;
    }
    return RowFailure::none;
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
