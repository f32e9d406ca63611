// The loops of the eigendecomposition (eigen.cpp) that take its time, for one instruction-set level.
#pragma once

#include "eigen.hpp"
#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace eigen {

// q = Σ_r beta · v[r] · row r of the m × m block whose rows lie `stride` doubles apart.
inline void combine_rows(const double* block, int64_t stride, int64_t m, const double* v, double beta,
                         double* q) {
    for (int64_t c = 0; c < m; ++c) q[c] = 0.0;
    int64_t r = 0;
    for (; r + 4 <= m; r += 4) {
        const double *a = block + r * stride, *b = a + stride, *c = b + stride, *d = c + stride;
        const double f = beta * v[r], g = beta * v[r + 1], h = beta * v[r + 2], i = beta * v[r + 3];
        for (int64_t j = 0; j < m; ++j) q[j] += (f * a[j] + g * b[j]) + (h * c[j] + i * d[j]);
    }
    for (; r < m; ++r) {
        const double f = beta * v[r];
        for (int64_t j = 0; j < m; ++j) q[j] += f * block[r * stride + j];
    }
}

// Row r of the block −= v[r] · q + q[r] · v.
inline void subtract_outer(double* block, int64_t stride, int64_t m, const double* v, const double* q) {
    for (int64_t r = 0; r < m; ++r) {
        double* row = block + r * stride;
        const double vr = v[r], qr = q[r];
        for (int64_t c = 0; c < m; ++c) row[c] -= vr * q[c] + qr * v[c];
    }
}

// Apply the reflectors that the rows of `a` hold, last first, to the rows [first, last) of `vectors`.
inline void reflect_rows(const double* a, int64_t n, int64_t first, int64_t last, double* vectors) {
    for (int64_t i = (last - 1 < n - 2 ? last - 1 : n - 2) - 1; i >= 0; --i) {
        const double beta = a[i * n + i];
        if (beta == 0.0) continue;
        const double* v = a + i * n + i + 1;
        const int64_t m = n - i - 1;
        for (int64_t r = first > i + 1 ? first : i + 1; r < last; ++r) {
            double* row = vectors + r * n + i + 1;
            double sums[8] = {};
            int64_t c = 0;
            for (; c + 8 <= m; c += 8) {
                for (int64_t j = 0; j < 8; ++j) sums[j] += row[c + j] * v[c + j];
            }
            for (; c < m; ++c) sums[0] += row[c] * v[c];
            const double dot =
                ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
            const double factor = -beta * dot;
            for (c = 0; c < m; ++c) row[c] += factor * v[c];
        }
    }
}

// Turn pairs of neighbouring rows of `vectors`, in order, in the columns [first, last).
inline void rotate_columns(const Rotation* rotations, int64_t count, int64_t n, int64_t first, int64_t last,
                           double* vectors) {
    for (int64_t k = 0; k < count; ++k) {
        const double c = rotations[k].c, s = rotations[k].s;
        double* __restrict x = vectors + rotations[k].row * n;
        double* __restrict y = x + n;
        for (int64_t j = first; j < last; ++j) {
            const double xj = x[j], yj = y[j];
            x[j] = c * xj - s * yj;
            y[j] = s * xj + c * yj;
        }
    }
}

}  // namespace eigen
}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
