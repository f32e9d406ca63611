// Cholesky factor A = UᵀU of a small symmetric matrix in panel layout, and solves with it.
#pragma once

#include "rank_update.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// The inverses of U's diagonal blocks, lanes × lanes each: block b at inverses + b · 2 · lanes² as rows of
// U_bb^−ᵀ, then as rows of U_bb^−1. They turn the chains of divisions of a solve into products.
constexpr int64_t inverse_block = 2 * lanes * lanes;

// Overwrite `rows` (X) with the solution of Uᵀ X = rows, U upper triangular, lanes × lanes, `reciprocal` of
// its diagonal.
ALTERNANT_INLINE void substitute(const float* u, const float* reciprocal, Vec* rows) {
#pragma GCC unroll 16
    for (int q = 0; q < lanes; ++q) {
        rows[q] *= reciprocal[q];
#pragma GCC unroll 16
        for (int r = q + 1; r < lanes; ++r) rows[r] -= u[q * lanes + r] * rows[q];
    }
}

// Factorise `matrix` (n_blocks · lanes square, upper column blocks) in place.
//
// scale : the diagonal before factorising, shape (size); a pivot of at most `tolerance` times it (or NaN)
// fails. inverses : out, see above. Returns false where a pivot fails; the matrix is spoilt then.
inline bool factorize(float* matrix, int64_t n_blocks, const float* scale, float tolerance, float* inverses) {
    const int64_t size = n_blocks * lanes, stride = size * lanes;
    for (int64_t b = 0; b < n_blocks; ++b) {
        const int64_t first = b * lanes;
        if (b > 0) {
            for (int64_t i = first; i < first + lanes; i += tile_rows) {
                update_strip<true>(matrix, stride, first, i, b, n_blocks, matrix, stride);
            }
        }
        float* diagonal = matrix + b * stride + first * lanes;
        alignas(64) float reciprocal[lanes];
        for (int q = 0; q < lanes; ++q) {
            float* row = diagonal + q * lanes;
            const float pivot = row[q];
            if (!(pivot > tolerance * scale[first + q]) || !(pivot < 3e38f)) return false;
            reciprocal[q] = 1.0f / __builtin_sqrtf(pivot);
            const Vec u = load(row) * reciprocal[q];
            store(row, u);
            for (int r = q + 1; r < lanes; ++r) {
                float* other = diagonal + r * lanes;
                store(other, load(other) - row[r] * u);
            }
        }
        Vec rows[lanes];
#pragma GCC unroll 16
        for (int r = 0; r < lanes; ++r) {
            rows[r] = Vec{};
            rows[r][r] = 1.0f;
        }
        substitute(diagonal, reciprocal, rows);
        float* inverse = inverses + b * inverse_block;
#pragma GCC unroll 16
        for (int r = 0; r < lanes; ++r) store(inverse + r * lanes, rows[r]);
        transpose(rows);
#pragma GCC unroll 16
        for (int r = 0; r < lanes; ++r) store(inverse + (lanes + r) * lanes, rows[r]);
        for (int64_t j = b + 1; j < n_blocks; ++j) {
            float* block = matrix + j * stride + first * lanes;
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) rows[r] = load(block + r * lanes);
            substitute(diagonal, reciprocal, rows);
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) store(block + r * lanes, rows[r]);
        }
    }
    return true;
}

// Σ_q x[q] · rows[q] over lanes rows of one vector each, `stride` floats apart.
ALTERNANT_INLINE Vec combine(const float* x, const float* rows, int64_t stride = lanes) {
    Vec even = {}, odd = {};
#pragma GCC unroll 16
    for (int q = 0; q < lanes; q += 2) {
        even += x[q] * load(rows + q * stride);
        odd += x[q + 1] * load(rows + (q + 1) * stride);
    }
    return even + odd;
}

// Solve UᵀU x = x in place; x : shape (n_blocks · lanes).
inline void solve_factorized(const float* u, const float* inverses, int64_t n_blocks, float* x) {
    const int64_t stride = n_blocks * lanes * lanes;
    for (int64_t b = 0; b < n_blocks; ++b) {
        float* xb = x + b * lanes;
        store(xb, combine(xb, inverses + b * inverse_block + lanes * lanes));
        for (int64_t j = b + 1; j < n_blocks; ++j) {
            float* xj = x + j * lanes;
            store(xj, load(xj) - combine(xb, u + j * stride + b * lanes * lanes));
        }
    }
    for (int64_t b = n_blocks - 1; b >= 0; --b) {
        float* xb = x + b * lanes;
        if (b + 1 < n_blocks) {
            Vec dots[lanes];
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) dots[r] = Vec{};
            for (int64_t j = b + 1; j < n_blocks; ++j) {
                const Vec xj = load(x + j * lanes);
                const float* block = u + j * stride + b * lanes * lanes;
#pragma GCC unroll 16
                for (int r = 0; r < lanes; ++r) dots[r] += load(block + r * lanes) * xj;
            }
            store(xb, load(xb) - sum_rows(dots));
        }
        store(xb, combine(xb, inverses + b * inverse_block));
    }
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
