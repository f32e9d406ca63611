// Screening: which rows of a panel might reach a query's threshold, for one instruction-set level.
//
// A screen computes approximate scores of a tile of queries against a panel of 64 rows and sets a bit for
// every row whose score could reach the threshold. The bound is rigorous: a row without a bit does not. What
// is listed comes from `score`, so that it is the same with every screen.
//
// The bound. Let x, y be a query and a row with their scales in (|x|, |y| Euclidean norms), F the float32
// score that `score` gives, S = x · y in real numbers.
//   1. |F − S| ≤ δ |x| |y| + tiny. A sum of w products in any order, two products with scales: at most w + 4
//      roundings of 2⁻²⁴ each on Σ |x_c y_c| ≤ |x| |y|; δ = (w + 16) 2⁻²³ is more than twice that. `tiny`
//      is for products and sums below 2⁻¹²⁶, which are flushed to zero: (2 w + 8) of them, times 1 + the
//      scales + |x| + |y|. (Numbers below it are zeros to everything here: all of it runs where they are
//      flushed.)
//   2. int8: x = s_x q_x + r_x and y = s_p q_y + r_y with integers q. So S − s_x s_p (q_x · q_y) =
//      r_x · y + (s_x q_x) · r_y, at most E = |r_x| |y| + |s_x q_x| |r_y| by Cauchy and Schwarz. The norms
//      of the residuals are those of the numbers that were stored, whatever the rounding did.
//      float32: E = 0, and the sum that the tile computes is as far from S as F is: twice 1.
// So F ≥ t needs q_x · q_y ≥ (t − E − 1.) / (s_x s_p). Norms are computed in float64 and stored with 2⁻¹⁶
// added, which outweighs the roundings of the bound's own arithmetic (a dozen of 2⁻²⁴). Rows and queries that
// are not `tame` (a number that is not finite or beyond 1e18) pass every screen.
//
// Another format (AMX tiles of bf16 or int8) is one more value of Screen, a pack, and a tile function.
#pragma once

#include <cmath>
#include <cstring>

#include "topk_task.hpp"
#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace topk {

constexpr double inflation = 1.0 + 1.0 / 65536;
constexpr double tame_limit = 1e18;
constexpr float smallest_normal = 1.17549435e-38f;
constexpr float infinite = __builtin_inff();

// Of a panel: what its rows have in common. step: the value of 1 in q. norm, residual: the largest |y| and
// |r_y|; norm is infinite where a row is not tame. scale: the largest |table_scale|, or 1.
struct PanelBounds {
    float step, norm, residual, scale;
};
static_assert(sizeof(PanelBounds) == panel_bounds * sizeof(float));

inline bool is_int8(Screen screen) {
    return screen != Screen::float32;
}
// The largest |q| of a row of the table, and what is added to make it an unsigned byte.
inline int row_limit(Screen screen) {
    return screen == Screen::int8_fours ? 127 : 63;
}
inline int row_shift(Screen screen) {
    return screen == Screen::int8_fours ? 128 : 64;
}

inline bool is_tame_scale(double scale) {
    const double size = scale < 0 ? -scale : scale;
    return size == 0 || (size >= 1 / tame_limit && size <= tame_limit);
}

// Column c of a row as it is scored, without the row's scale.
inline float column(const float* row, int64_t c, int64_t width, LastColumn last) {
    if (c + 1 < width || last == LastColumn::stored) return row[c];
    return last == LastColumn::one ? 1.0f : 0.0f;
}

struct Norm {
    double norm;     // with the scale
    double largest;  // |number|, with the scale
    bool is_tame;
};

inline Norm norm_of(const float* row, int64_t width, LastColumn last, double scale) {
    double parts[8] = {};  // so that the compiler may use vectors
    float largest = 0;
    const int64_t plain = last == LastColumn::stored ? width : width - 1;
    int64_t c = 0;
    for (; c + 8 <= plain; c += 8) {
        for (int j = 0; j < 8; ++j) parts[j] += static_cast<double>(row[c + j]) * row[c + j];
    }
    for (; c < plain; ++c) parts[0] += static_cast<double>(row[c]) * row[c];
    if (plain < width && last == LastColumn::one) parts[0] += 1;
    for (c = 0; c < plain; ++c) {
        const float size = row[c] < 0 ? -row[c] : row[c];
        largest = size > largest ? size : largest;
    }
    if (plain < width && last == LastColumn::one && largest < 1) largest = 1;
    double total = 0;
    for (const double part : parts) total += part;
    const double bare = std::sqrt(total), size = scale < 0 ? -scale : scale;
    const bool is_tame = bare <= tame_limit && bare * size <= tame_limit && is_tame_scale(scale);
    return {bare * size, largest * size, is_tame};
}

// Write q = round(x · scale / step) for the columns of a row and return |x · scale − step q|²; for a query.
inline double quantise(const float* row, int64_t width, double scale, double step, int limit, int8_t* to,
                       int32_t* sum) {
    const double inverse = scale / step;
    double residual = 0;
    int32_t total = 0;
    for (int64_t c = 0; c < width; ++c) {
        const double scaled = row[c] * inverse;
        int32_t q = static_cast<int32_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
        q = q > limit ? limit : q < -limit ? -limit : q;
        const double r = row[c] * scale - step * q;
        residual += r * r;
        to[c] = static_cast<int8_t>(q);
        total += q;
    }
    *sum = total;
    return residual;
}

// Write the norms, with the scale, of the rows [first, last) of the order; infinite where one is not tame.
inline void row_norms(const PackTask& task, int64_t first, int64_t last, double* norms) {
    for (int64_t i = first; i < last; ++i) {
        const int64_t row = task.order == nullptr ? i : task.order[i];
        const double scale = task.table_scale == nullptr ? 1.0 : task.table_scale[row];
        const Norm norm = norm_of(task.table + row * task.width, task.width, task.table_last, scale);
        norms[i] = norm.is_tame ? norm.norm : static_cast<double>(infinite);
    }
}

// Tiles: `tile_rows` rows side by side, four columns of a row (int8) or one (float32) together.
constexpr int tile_vectors = lanes == 16 ? 4 : 2;
constexpr int tile_rows = tile_vectors * lanes;
constexpr int tiles_per_panel = static_cast<int>(panel_rows) / tile_rows;
constexpr int tile_queries = lanes == 16 ? 6 : 5;

inline void pack_float32(const PackTask& task, const int32_t* rows, int n, float* to) {
    std::memset(to, 0, static_cast<size_t>(panel_bytes(Screen::float32, task.width)));
    for (int j = 0; j < n; ++j) {
        const float* row = task.table + rows[j] * task.width;
        const float scale = task.table_scale == nullptr ? 1.0f : task.table_scale[rows[j]];
        float* lane = to + j / tile_rows * tile_rows * task.width + j % tile_rows;
        for (int64_t c = 0; c < task.width; ++c) {
            lane[c * tile_rows] = column(row, c, task.width, task.table_last) * scale;
        }
    }
}

// Returns the largest residual of the panel.
inline double pack_int8(const PackTask& task, const int32_t* rows, int n, double step, uint8_t* to) {
    const int64_t words = (task.width + 3) / 4;
    const int limit = row_limit(task.screen), shift = row_shift(task.screen);
    std::memset(to, shift, static_cast<size_t>(panel_bytes(task.screen, task.width)));
    double largest = 0;
    for (int j = 0; j < n; ++j) {
        const float* row = task.table + rows[j] * task.width;
        const double scale = task.table_scale == nullptr ? 1.0 : task.table_scale[rows[j]];
        const double inverse = scale / step;
        uint8_t* lane = to + j / tile_rows * tile_rows * words * 4 + j % tile_rows * 4;
        double residual = 0;
        for (int64_t c = 0; c < task.width; ++c) {
            const float x = column(row, c, task.width, task.table_last);
            const double scaled = x * inverse;
            int32_t q = static_cast<int32_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
            q = q > limit ? limit : q < -limit ? -limit : q;
            const double r = x * scale - step * q;
            residual += r * r;
            lane[c / 4 * 4 * tile_rows + c % 4] = static_cast<uint8_t>(q + shift);
        }
        largest = residual > largest ? residual : largest;
    }
    return std::sqrt(largest);
}

// Pack the panels [first, last).
inline void pack_panels(const PackTask& task, int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
        const int32_t* rows = task.order + p * panel_rows;
        const int64_t left = task.n - p * panel_rows;
        const int n = static_cast<int>(left < panel_rows ? left : panel_rows);
        double norm = 0, largest = 0, scale_size = 0;
        bool is_tame = true;
        for (int j = 0; j < n; ++j) {
            const double scale = task.table_scale == nullptr ? 1.0 : task.table_scale[rows[j]];
            const Norm of = norm_of(task.table + rows[j] * task.width, task.width, task.table_last, scale);
            is_tame = is_tame && of.is_tame;
            norm = of.norm > norm ? of.norm : norm;
            largest = of.largest > largest ? of.largest : largest;
            const double size = scale < 0 ? -scale : scale;
            scale_size = size > scale_size ? size : scale_size;
        }
        for (int j = 0; j < n; ++j) {
            std::memcpy(task.rows + (p * panel_rows + j) * task.width, task.table + rows[j] * task.width,
                        sizeof(float) * static_cast<size_t>(task.width));
        }
        uint8_t* to = task.panels + p * panel_bytes(task.screen, task.width);
        PanelBounds bounds{1, infinite, 0, 0};
        if (is_tame) {
            double residual = 0, step = 1;
            if (!is_int8(task.screen)) {
                pack_float32(task, rows, n, reinterpret_cast<float*>(to));
            } else {
                step = static_cast<float>(largest / row_limit(task.screen));
                if (step < 1e-30) step = 1e-30f;  // all but zeros: the residual is the row
                residual = pack_int8(task, rows, n, step, to);
            }
            bounds = {static_cast<float>(step), static_cast<float>(norm * inflation),
                      static_cast<float>(residual * inflation), static_cast<float>(scale_size)};
        } else {
            std::memset(to, 0, static_cast<size_t>(panel_bytes(task.screen, task.width)));
        }
        std::memcpy(task.bounds + p * panel_bounds, &bounds, sizeof bounds);
    }
}

// The approximate scores of R queries against the rows of one tile.
template <int R>
ALTERNANT_INLINE void multiply_tile(const float* const* queries, const float* tile, int64_t width,
                                    Vec (&sums)[R][tile_vectors]) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
        for (int v = 0; v < tile_vectors; ++v) sums[r][v] = Vec{};
    }
    for (int64_t c = 0; c < width; ++c) {
        Vec rows[tile_vectors];
#pragma GCC unroll 8
        for (int v = 0; v < tile_vectors; ++v) rows[v] = load(tile + c * tile_rows + v * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
            const float q = queries[r][c];
#pragma GCC unroll 8
            for (int v = 0; v < tile_vectors; ++v) sums[r][v] += q * rows[v];
        }
    }
}

// Bit j of masks[r] is set where the approximate score of row j reaches floors[r].
template <int R>
void screen_float32(const float* const* queries, const float* panel, int64_t width, const float* floors,
                    uint64_t* masks) {
    for (int r = 0; r < R; ++r) masks[r] = 0;
    for (int t = 0; t < tiles_per_panel; ++t) {
        Vec sums[R][tile_vectors];
        multiply_tile<R>(queries, panel + t * tile_rows * width, width, sums);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
            for (int v = 0; v < tile_vectors; ++v) {
                const uint64_t bits = lane_bits((VecIndex)(sums[r][v] >= broadcast(floors[r])));
                masks[r] |= bits << (t * tile_rows + v * lanes);
            }
        }
    }
}

// Write the approximate scores of one query: (panel_rows).
inline void approximate_float32(const float* query, const float* panel, int64_t width, float* out) {
    for (int t = 0; t < tiles_per_panel; ++t) {
        Vec sums[1][tile_vectors];
        multiply_tile<1>(&query, panel + t * tile_rows * width, width, sums);
        for (int v = 0; v < tile_vectors; ++v) store(out + t * tile_rows + v * lanes, sums[0][v]);
    }
}

#if defined(__AVX2__)
#if defined(__AVX512F__)
using Bytes = __m512i;
ALTERNANT_INLINE Bytes load_bytes(const uint8_t* p) {
    return _mm512_loadu_si512(p);
}
ALTERNANT_INLINE Bytes four_bytes(const int8_t* p) {
    int32_t word;
    std::memcpy(&word, p, 4);
    return _mm512_set1_epi32(word);
}
ALTERNANT_INLINE Bytes add_pairs(Bytes sums, Bytes rows, Bytes query) {
    const Bytes pairs = _mm512_maddubs_epi16(rows, query);  // at most 2 · 127 · 127: below 2¹⁵
    return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}
ALTERNANT_INLINE uint64_t above(Bytes sums, int32_t floor) {
    return _mm512_cmpgt_epi32_mask(sums, _mm512_set1_epi32(floor));
}
#else
using Bytes = __m256i;
ALTERNANT_INLINE Bytes load_bytes(const uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
ALTERNANT_INLINE Bytes four_bytes(const int8_t* p) {
    int32_t word;
    std::memcpy(&word, p, 4);
    return _mm256_set1_epi32(word);
}
ALTERNANT_INLINE Bytes add_pairs(Bytes sums, Bytes rows, Bytes query) {
    const Bytes pairs = _mm256_maddubs_epi16(rows, query);  // at most 2 · 127 · 127: below 2¹⁵
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
ALTERNANT_INLINE uint64_t above(Bytes sums, int32_t floor) {
    return lane_bits((VecIndex)_mm256_cmpgt_epi32(sums, _mm256_set1_epi32(floor)));
}
#endif

// Add products of four unsigned and four signed bytes.
template <Screen screen>
ALTERNANT_INLINE Bytes add_fours(Bytes sums, Bytes rows, Bytes query) {
#if defined(__AVX512F__)
    if constexpr (screen == Screen::int8_fours) {
        // Not the intrinsic: it would want its target in every function around it. See has_screen.
        asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(rows), "v"(query));
        return sums;
    }
#endif
    return add_pairs(sums, rows, query);
}

// The same three for bytes; `words` = columns / 4, rounded up. A bit is set where a sum is above floors[r].
template <int R, Screen screen>
ALTERNANT_INLINE void multiply_bytes(const int8_t* const* queries, const uint8_t* tile, int64_t words,
                                     Bytes (&sums)[R][tile_vectors]) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
        for (int v = 0; v < tile_vectors; ++v) sums[r][v] = Bytes{};
    }
    for (int64_t w = 0; w < words; ++w) {
        Bytes rows[tile_vectors];
#pragma GCC unroll 8
        for (int v = 0; v < tile_vectors; ++v) rows[v] = load_bytes(tile + (w * tile_rows + v * lanes) * 4);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
            const Bytes query = four_bytes(queries[r] + 4 * w);
#pragma GCC unroll 8
            for (int v = 0; v < tile_vectors; ++v) sums[r][v] = add_fours<screen>(sums[r][v], rows[v], query);
        }
    }
}

template <int R, Screen screen>
void screen_int8(const int8_t* const* queries, const uint8_t* panel, int64_t words, const int32_t* floors,
                 uint64_t* masks) {
    for (int r = 0; r < R; ++r) masks[r] = 0;
    for (int t = 0; t < tiles_per_panel; ++t) {
        Bytes sums[R][tile_vectors];
        multiply_bytes<R, screen>(queries, panel + t * tile_rows * 4 * words, words, sums);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
            for (int v = 0; v < tile_vectors; ++v)
                masks[r] |= above(sums[r][v], floors[r]) << (t * tile_rows + v * lanes);
        }
    }
}

template <Screen screen>
void approximate_int8(const int8_t* query, const uint8_t* panel, int64_t words, int32_t* out) {
    for (int t = 0; t < tiles_per_panel; ++t) {
        Bytes sums[1][tile_vectors];
        multiply_bytes<1, screen>(&query, panel + t * tile_rows * 4 * words, words, sums);
        std::memcpy(out + t * tile_rows, sums, sizeof sums);
    }
}
#endif

// The screens that this level has on this machine.
inline bool has_screen(Screen screen) {
#if defined(__AVX512F__)
    if (screen == Screen::int8_fours) return __builtin_cpu_supports("avx512vnni");
#endif
#if defined(__AVX2__)
    if (screen == Screen::int8_pairs) return true;
#endif
    return screen == Screen::float32;
}

}  // namespace topk
}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
