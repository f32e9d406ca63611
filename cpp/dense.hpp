// Products with tall factor tables: Gramian, rotation, sparse times dense. Row-major tables, shape (n_rows,
// width).
#pragma once

#include "rank_update.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

constexpr int64_t gramian_panel_rows = 128;

inline size_t gramian_scratch_bytes(int64_t width) {
    const int64_t wp = padded(width);
    return sizeof(float) * (size_t)(gramian_panel_rows * wp + wp * wp);
}

// gram (float64, width × width; right of the diagonal, and some of the rest) += table[first:last]ᵀ
// table[first:last].
//
// table : rows of `stride` floats; scale : null (ones), or what each row is multiplied by
inline void add_gramian(const float* table, int64_t stride, const float* scale, int64_t first, int64_t last,
                        int64_t width, double* gram, void* scratch) {
    const int64_t wp = padded(width);
    float* panel = (float*)scratch;
    float* product = panel + gramian_panel_rows * wp;
    for (; first < last; first += gramian_panel_rows) {
        const int64_t rows = last - first < gramian_panel_rows ? last - first : gramian_panel_rows;
        for (int64_t r = 0; r < rows; ++r) {
            const float* y = table + (first + r) * stride;
            const float by = scale != nullptr ? scale[first + r] : 1.0f;
            for (int64_t c = 0; c < wp; c += lanes) {
                store(panel + c * gramian_panel_rows + r * lanes,
                      by * (c + lanes <= width ? load(y + c) : load_part(y + c, (int)(width - c))));
            }
        }
        for (int64_t i = 0; i < wp * wp; ++i) product[i] = 0.0f;
        rank_update<false>(panel, gramian_panel_rows, rows, width, product);
        for (int64_t i = 0; i < width; ++i) {
            int64_t j = i / lanes * lanes;
            for (; j + lanes <= width; j += lanes) {
                double* sums = gram + i * width + j;
                store_wide(sums, load_wide(sums) + widen(load(product + j * wp + i * lanes)));
            }
            for (; j < width; ++j)
                gram[i * width + j] += product[j / lanes * lanes * wp + i * lanes + j % lanes];
        }
    }
}

// Column blocks of a matrix that `multiply` lays side by side.
inline size_t multiply_scratch_bytes(int64_t width) {
    return sizeof(float) * (size_t)(width * tile_blocks * lanes);
}

// out[r] = table[r] · panel for `rows` rows, `columns` of tile_blocks · lanes columns.
template <int rows>
ALTERNANT_INLINE void multiply_tile(const float* table, int64_t stride, int64_t width, const float* panel,
                                    int64_t columns, float* out, int64_t out_stride) {
    Vec sums[rows][tile_blocks];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
        for (int c = 0; c < tile_blocks; ++c) sums[r][c] = Vec{};
    }
    for (int64_t i = 0; i < width; ++i) {
        Vec v[tile_blocks];
#pragma GCC unroll 4
        for (int c = 0; c < tile_blocks; ++c) v[c] = load(panel + (i * tile_blocks + c) * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            const float x = table[r * stride + i];
#pragma GCC unroll 4
            for (int c = 0; c < tile_blocks; ++c) sums[r][c] += x * v[c];
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
        for (int c = 0; c < tile_blocks; ++c) {
            float* p = out + r * out_stride + c * lanes;
            if ((c + 1) * lanes <= columns) {
                store(p, sums[r][c]);
            } else {
                for (int64_t i = c * lanes; i < columns; ++i) p[i - c * lanes] = sums[r][c][i - c * lanes];
            }
        }
    }
}

// out[r] = table[r] · matrix for rows [first, last); matrix : shape (width, out_width). Rows of the table are
// `stride` floats long, and what lies behind the first `width` of them is copied.
inline void multiply(const float* table, int64_t stride, int64_t first, int64_t last, int64_t width,
                     const float* matrix, int64_t out_width, float* out, void* scratch) {
    const int64_t out_stride = out_width + stride - width, step = tile_blocks * lanes;
    float* panel = (float*)scratch;
    for (int64_t begin = 0; begin < out_width; begin += step) {
        const int64_t columns = out_width - begin < step ? out_width - begin : step;
        for (int64_t i = 0; i < width; ++i) {
            for (int64_t c = 0; c < step; c += lanes) {
                const int64_t left = columns - c;
                const float* y = matrix + i * out_width + begin + c;
                store(panel + i * step + c, left >= lanes ? load(y)
                                            : left > 0    ? load_part(y, (int)left)
                                                          : Vec{});
            }
        }
        float* to = out + begin;
        int64_t r = first;
        for (; r + tile_rows <= last; r += tile_rows) {
            multiply_tile<tile_rows>(table + r * stride, stride, width, panel, columns, to + r * out_stride,
                                     out_stride);
        }
        for (; r < last; ++r) {
            multiply_tile<1>(table + r * stride, stride, width, panel, columns, to + r * out_stride,
                             out_stride);
        }
    }
    for (int64_t r = first; r < last; ++r) {
        for (int64_t c = width; c < stride; ++c)
            out[r * out_stride + out_width + c - width] = table[r * stride + c];
    }
}

// Columns [c, c + n_vecs · lanes), the last `part` lanes of which are there (0: all), of the product below.
template <int n_vecs>
ALTERNANT_INLINE void multiply_sparse_columns(const int32_t* indices, const float* values, double shift,
                                              const float* table, int64_t width, int64_t begin, int64_t end,
                                              int64_t c, int part, float* out) {
    Vec sums[n_vecs] = {};
    for (int64_t e = begin; e < end; ++e) {
        const float value = (float)((values != nullptr ? values[e] : 1.0) - shift);
        const float* y = table + indices[e] * width + c;
#pragma GCC unroll 4
        for (int i = 0; i < n_vecs; ++i) {
            sums[i] +=
                value * (i + 1 < n_vecs || part == 0 ? load(y + i * lanes) : load_part(y + i * lanes, part));
        }
    }
    for (int i = 0; i < n_vecs; ++i) {
        if (i + 1 < n_vecs || part == 0) {
            store(out + c + i * lanes, sums[i]);
        } else {
            for (int j = 0; j < part; ++j) out[c + i * lanes + j] = sums[i][j];
        }
    }
}

// out[r] = Σ_e (values_e − shift) · table[indices_e] over the entries e of row r, for rows [first, last).
inline void multiply_sparse(const int64_t* offsets, const int32_t* indices, const float* values, double shift,
                            const float* table, int64_t width, int64_t first, int64_t last, float* out) {
    for (int64_t r = first; r < last; ++r) {
        float* x = out + r * width;
        const int64_t begin = offsets[r] - offsets[0], end = offsets[r + 1] - offsets[0];
        int64_t c = 0;
        for (; c + 4 * lanes <= width; c += 4 * lanes) {
            multiply_sparse_columns<4>(indices, values, shift, table, width, begin, end, c, 0, x);
        }
        for (; c < width; c += lanes) {
            const int part = c + lanes <= width ? 0 : (int)(width - c);
            multiply_sparse_columns<1>(indices, values, shift, table, width, begin, end, c, part, x);
        }
    }
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
