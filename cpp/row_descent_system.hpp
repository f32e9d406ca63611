// The system of one row that goes by coordinate descent (row_descent.hpp), in float64: its memory, and how
// the row's entries are gathered into it.
#pragma once

#include "row_entries.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// Entries gathered at a time.
constexpr int64_t descent_entries = 32;

constexpr int lanes64 = lanes / 2;
using Vec64 = double __attribute__((vector_size(4 * ALTERNANT_LANES), may_alias));

// Memory of one worker, carved from one allocation; kp = padded(width), and all padding is 0.
struct DescentScratch {
    double *matrix, *factor;         // M, and what elimination leaves of a part of it; shape (kp, kp)
    double *rhs, *x, *gradient;      // c, x and M x − c, shape (kp)
    double *inverse, *ridge;         // 1 / M_cc, and λ ρ + κ, shape (kp)
    double *right, *before, *step;   // of the face: its right side and solution, shape (kp)
    int64_t* face;                   // its columns, shape (kp)
    double *panel, *weighted_panel;  // y and a · y as [column block][entry][lane]
    size_t bytes;

    DescentScratch(const RowsTask& task, char* base) {
        const int64_t kp = padded(task.width);
        size_t used = 0;
        const auto take = [&](int64_t n) {
            char* p = base + used;
            used += ((size_t)n * 8 + 63) / 64 * 64;
            return (double*)p;
        };
        matrix = take(kp * kp);
        factor = take(kp * kp);
        rhs = take(kp);
        x = take(kp);
        gradient = take(kp);
        inverse = take(kp);
        ridge = take(kp);
        right = take(kp);
        before = take(kp);
        step = take(kp);
        face = (int64_t*)take(kp);
        panel = take(descent_entries * kp);
        weighted_panel = take(descent_entries * kp);
        bytes = used;
    }
};

// target += factor · source over n numbers, n a multiple of lanes64.
ALTERNANT_INLINE void add_multiple(double factor, const double* source, int64_t n, double* target) {
    for (int64_t j = 0; j < n; j += lanes64) *(Vec64*)(target + j) += factor * *(const Vec64*)(source + j);
}

// matrix[i, j] += Σ_{e < depth} left[e, i] · right[e, j] on and right of the diagonal blocks, shape (kp, kp).
inline void add_products(const double* left, const double* right, int64_t depth, int64_t kp, double* matrix) {
    constexpr int rows = 4;
    constexpr int64_t stride = descent_entries * lanes;
    for (int64_t i = 0; i < kp; i += rows) {
        const double* x = left + i / lanes * stride + i % lanes;
        for (int64_t j = i / lanes * lanes; j < kp; j += lanes) {
            const double* y = right + j / lanes * stride;
            Vec64 sums[rows][2] = {};
            for (int64_t e = 0; e < depth; ++e) {
                const Vec64 low = *(const Vec64*)(y + e * lanes);
                const Vec64 high = *(const Vec64*)(y + e * lanes + lanes64);
#pragma GCC unroll 4
                for (int r = 0; r < rows; ++r) {
                    sums[r][0] += x[e * lanes + r] * low;
                    sums[r][1] += x[e * lanes + r] * high;
                }
            }
#pragma GCC unroll 4
            for (int r = 0; r < rows; ++r) {
                Vec64* out = (Vec64*)(matrix + (i + r) * kp + j);
                out[0] += sums[r][0];
                out[1] += sums[r][1];
            }
        }
    }
}

// Fill scratch.matrix, rhs and ridge; returns Σ a t², or 0 where b holds no targets.
inline double build_descent(const Row& row, double w0, DescentScratch& s) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k);
    for (int64_t i = 0; i < kp * kp; ++i) s.matrix[i] = 0.0;
    for (int64_t i = 0; i < kp; ++i) {
        s.rhs[i] = task.h != nullptr && i < k ? task.h[row.index * k + i] : 0.0;
        s.ridge[i] = i < k ? task.ridge[row.index] * task.rho[i] + task.kappa[i] : 0.0;
        double* diagonal = s.matrix + i * kp + i;
        *diagonal = s.ridge[i];
        if (i >= k || w0 == 0.0) continue;
        if (task.gram != nullptr) {
            for (int64_t j = i; j < k; ++j) diagonal[j - i] += w0 * task.gram[i * k + j];
        } else if (task.omega != nullptr) {
            *diagonal += w0 * task.omega[i];
        }
    }
    double square = 0.0;
    for (int64_t first = 0; first < row.n; first += descent_entries) {
        const int64_t depth = row.n - first < descent_entries ? row.n - first : descent_entries;
        for (int64_t e = 0; e < depth; ++e) {
            row.prefetch(first + e + prefetch_distance);
            const float* y = row.fixed(first + e);
            const float a = row.a(first + e);
            const double t = row.target(first + e, a), b = task.b_is_target ? a * t : t;
            if (task.b_is_target) square += b * t;
            for (int64_t c = 0; c < kp; c += lanes) {
                const Vec columns = load_columns(y, c, k, task.bias_column);
                double* panel = s.panel + c * descent_entries + e * lanes;
                double* weighted = s.weighted_panel + c * descent_entries + e * lanes;
                for (int i = 0; i < lanes; ++i) {
                    panel[i] = columns[i];
                    weighted[i] = a * panel[i];
                    s.rhs[c + i] += b * panel[i];
                }
            }
        }
        add_products(s.weighted_panel, s.panel, depth, kp, s.matrix);
    }
    for (int64_t i = 1; i < kp; ++i) {
        for (int64_t j = 0; j < i; ++j) s.matrix[i * kp + j] = s.matrix[j * kp + i];
    }
    return square;
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
