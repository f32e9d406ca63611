// Tiles of approximate scores: queries against the rows of a panel, in registers, for one instruction-set
// level.
//
// A tile is `tile_queries` queries by `tile_rows` rows. What it leaves is a bit for each row: whether the
// approximate score reaches what the query asks for (topk_screen.hpp has the bound). Float32 for every level;
// bytes, four columns to a 32-bit sum, where there is an instruction for them. Another format (AMX tiles of
// bf16 or of bytes) is one more value of Screen, a way to pack, and the three functions that follow.
#pragma once

#include <cstring>

#include "topk_task.hpp"
#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace topk {

// Tiles: `tile_rows` rows side by side, four columns of a row (int8) or one (float32) together.
constexpr int tile_vectors = lanes == 16 ? 4 : 2;
constexpr int tile_rows = tile_vectors * lanes;
constexpr int tiles_per_panel = static_cast<int>(panel_rows) / tile_rows;
constexpr int tile_queries = lanes == 16 ? 6 : 5;

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
