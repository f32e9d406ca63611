// The one inner loop of the exact solvers: C ± Pᵀ P on panels.
//
// A panel holds `rows` rows of a padded number of columns as [column block][row][lane]: element (r, c) lies
// at
// ((c / lanes) · rows + r) · lanes + c % lanes. A symmetric matrix is a panel of as many rows as columns, of
// which only the column blocks on and right of the diagonal block are used (the diagonal blocks in full).
#pragma once

#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// Rows × column blocks of one register tile: as many accumulators as the level has registers for.
constexpr int tile_rows = lanes == 16 ? 8 : 4;
constexpr int tile_blocks = lanes == 16 ? 3 : 2;

// out[i + r, block j + c] ±= Σ_{e < depth} panel[e, i + r] · panel[e, block j + c].
template <int blocks, bool subtract>
ALTERNANT_INLINE void update_tile(const float* panel, int64_t panel_stride, int64_t depth, int64_t i,
                                  int64_t j, float* out, int64_t out_stride) {
    const float* left = panel + (i / lanes) * panel_stride + i % lanes;
    const float* right = panel + j * panel_stride;
    Vec sums[tile_rows][blocks];
#pragma GCC unroll 8
    for (int r = 0; r < tile_rows; ++r) {
#pragma GCC unroll 4
        for (int c = 0; c < blocks; ++c) sums[r][c] = Vec{};
    }
    for (int64_t e = 0; e < depth; ++e) {
        Vec v[blocks];
#pragma GCC unroll 4
        for (int c = 0; c < blocks; ++c) v[c] = load(right + c * panel_stride + e * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < tile_rows; ++r) {
            const float x = left[e * lanes + r];
#pragma GCC unroll 4
            for (int c = 0; c < blocks; ++c) sums[r][c] += x * v[c];
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < tile_rows; ++r) {
#pragma GCC unroll 4
        for (int c = 0; c < blocks; ++c) {
            float* p = out + (j + c) * out_stride + (i + r) * lanes;
            store(p, subtract ? load(p) - sums[r][c] : load(p) + sums[r][c]);
        }
    }
}

// One strip of tile_rows rows, column blocks [j, n_blocks).
template <bool subtract>
ALTERNANT_INLINE void update_strip(const float* panel, int64_t panel_stride, int64_t depth, int64_t i,
                                   int64_t j, int64_t n_blocks, float* out, int64_t out_stride) {
    for (; j + tile_blocks <= n_blocks; j += tile_blocks) {
        update_tile<tile_blocks, subtract>(panel, panel_stride, depth, i, j, out, out_stride);
    }
    if (tile_blocks > 2 && n_blocks - j == 2) {
        update_tile<2, subtract>(panel, panel_stride, depth, i, j, out, out_stride);
    } else if (n_blocks - j == 1) {
        update_tile<1, subtract>(panel, panel_stride, depth, i, j, out, out_stride);
    }
}

// The last column block, of which only `used` columns are not padding: a column at a time, as a row.
template <bool subtract>
inline void update_narrow_block(const float* panel, int64_t panel_rows, int64_t depth, int64_t n_blocks,
                                int64_t used, float* matrix) {
    const int64_t last = n_blocks - 1, panel_stride = panel_rows * lanes;
    float* block = matrix + last * n_blocks * lanes * lanes;
    for (int64_t q = 0; q < used; ++q) {
        const float* column = panel + last * panel_stride + q;
        for (int64_t j = 0; j < n_blocks; ++j) {
            const float* rows = panel + j * panel_stride;
            Vec sums[4] = {};
            int64_t e = 0;
            for (; e + 4 <= depth; e += 4) {
#pragma GCC unroll 4
                for (int64_t i = 0; i < 4; ++i) {
                    sums[i] += column[(e + i) * lanes] * load(rows + (e + i) * lanes);
                }
            }
            for (; e < depth; ++e) sums[0] += column[e * lanes] * load(rows + e * lanes);
            const Vec sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
            const Vec change = subtract ? -sum : sum;
            if (j == last) {
                float* row = block + (j * lanes + q) * lanes;
                store(row, load(row) + change);
            } else {
                for (int i = 0; i < lanes; ++i) block[(j * lanes + i) * lanes + q] += change[i];
            }
        }
    }
}

// matrix ± PᵀP: the column blocks on and right of the diagonal of a symmetric matrix of `size` columns, which
// take n_blocks blocks.
//
// panel : `depth` used rows of a panel of `panel_rows` rows and n_blocks column blocks
template <bool subtract>
inline void rank_update(const float* panel, int64_t panel_rows, int64_t depth, int64_t size, float* matrix) {
    const int64_t n_blocks = padded(size) / lanes, used = size - (n_blocks - 1) * lanes;
    const bool narrow = n_blocks > 1 && used <= lanes / 4;
    const int64_t n_full = narrow ? n_blocks - 1 : n_blocks;
    for (int64_t i = 0; i < n_full * lanes; i += tile_rows) {
        update_strip<subtract>(panel, panel_rows * lanes, depth, i, i / lanes, n_full, matrix,
                               n_blocks * lanes * lanes);
    }
    if (narrow) update_narrow_block<subtract>(panel, panel_rows, depth, n_blocks, used, matrix);
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
