// One vector of float32 lanes, for the level that this translation unit is compiled for.
//
// GCC's and Clang's vector extensions: the same source gives SSE2 or NEON (4 lanes), AVX2 (8) and AVX-512
// (16). Everything lives in a namespace of the level's name, so that no symbol is shared between levels.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>  // for loads of a part of a vector and masks, which the extensions lack
#endif

#define ALTERNANT_JOIN_(a, b) a##b
#define ALTERNANT_JOIN(a, b) ALTERNANT_JOIN_(a, b)
#define ALTERNANT_STRING_(a) #a
#define ALTERNANT_STRING(a) ALTERNANT_STRING_(a)
#define ALTERNANT_INLINE inline __attribute__((always_inline))

namespace alternant {
namespace ALTERNANT_LEVEL {

constexpr int lanes = ALTERNANT_LANES;
using Vec = float __attribute__((vector_size(4 * ALTERNANT_LANES)));
using VecIndex = int32_t __attribute__((vector_size(4 * ALTERNANT_LANES)));
using UnalignedVec = float __attribute__((vector_size(4 * ALTERNANT_LANES), aligned(4), may_alias));

// As many doubles.
using Wide = double __attribute__((vector_size(8 * ALTERNANT_LANES)));
using UnalignedWide = double __attribute__((vector_size(8 * ALTERNANT_LANES), aligned(8), may_alias));

ALTERNANT_INLINE Wide load_wide(const double* p) {
    return *reinterpret_cast<const UnalignedWide*>(p);
}
ALTERNANT_INLINE void store_wide(double* p, Wide v) {
    *reinterpret_cast<UnalignedWide*>(p) = v;
}
ALTERNANT_INLINE Vec load(const float* p) {
    return *reinterpret_cast<const UnalignedVec*>(p);
}
ALTERNANT_INLINE void store(float* p, Vec v) {
    *reinterpret_cast<UnalignedVec*>(p) = v;
}

// x in every lane (subtracting zero keeps the sign of a zero, so the compiler may drop it).
ALTERNANT_INLINE Vec broadcast(float x) {
    return x - Vec{};
}

template <int... I>
struct Lanes {};
template <int N, int... I>
struct MakeLanes : MakeLanes<N - 1, N - 1, I...> {};
template <int... I>
struct MakeLanes<0, I...> {
    using type = Lanes<I...>;
};
using AllLanes = typename MakeLanes<lanes>::type;
template <int... I>
ALTERNANT_INLINE VecIndex lane_numbers(Lanes<I...>) {
    return VecIndex{I...};
}

// The first `count` floats at p (0 ≤ count < lanes), zeros behind them; reads nothing beyond.
ALTERNANT_INLINE Vec load_part(const float* p, int count) {
#if defined(__AVX512F__)
    return (Vec)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1u), p);
#elif defined(__AVX2__)
    return (Vec)_mm256_maskload_ps(p, (__m256i)(lane_numbers(AllLanes{}) < count));
#else
    Vec v = {};
    for (int i = 0; i < count; ++i) v[i] = p[i];
    return v;
#endif
}

// 1 in one lane, 0 in the others.
ALTERNANT_INLINE Vec unit(int lane) {
    return (Vec)((lane_numbers(AllLanes{}) == lane) & 0x3f800000);
}

ALTERNANT_INLINE Wide widen(Vec v) {
    return __builtin_convertvector(v, Wide);
}
ALTERNANT_INLINE Vec narrow(Wide v) {
    return __builtin_convertvector(v, Vec);
}

ALTERNANT_INLINE double sum(Wide v) {
    alignas(64) double t[lanes];
    store_wide(t, v);
    for (int half = lanes / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) t[i] += t[i + half];
    }
    return t[0];
}
// Lane-wise choice from two vectors: index i < lanes takes a[i], the others b[i − lanes].
#ifdef __clang__
template <int... I>
ALTERNANT_INLINE Vec pick(Vec a, Vec b) {
    return __builtin_shufflevector(a, b, I...);
}
#else
template <int... I>
ALTERNANT_INLINE Vec pick(Vec a, Vec b) {
    return __builtin_shuffle(a, b, VecIndex{I...});
}
#endif

template <int shift, int... I>
ALTERNANT_INLINE Vec turned(Vec v, Lanes<I...>) {
    return pick<((I + shift) % lanes)...>(v, v);
}
template <int half>
ALTERNANT_INLINE Vec add_halves(Vec v) {
    v += turned<half>(v, AllLanes{});
    if constexpr (half > 1) return add_halves<half / 2>(v);
    return v;
}

// Sum of the lanes, always halves first.
ALTERNANT_INLINE float sum(Vec v) {
    return add_halves<lanes / 2>(v)[0];
}

// Bit i is set where lane i of a comparison's result is true.
ALTERNANT_INLINE uint32_t lane_bits(VecIndex v) {
#if defined(__AVX512F__)
    return _mm512_movepi32_mask((__m512i)v);
#elif defined(__AVX2__)
    return (uint32_t)_mm256_movemask_ps((__m256)v);
#elif defined(__SSE2__)
    return (uint32_t)_mm_movemask_ps((__m128)v);
#else
    uint32_t bits = 0;
    for (int i = 0; i < lanes; ++i) bits |= (uint32_t)(v[i] & 1) << i;
    return bits;
#endif
}
// Whether a comparison holds in some lane.
ALTERNANT_INLINE bool any(VecIndex v) {
    return lane_bits(v) != 0;
}

template <int half, int... I>
ALTERNANT_INLINE Vec pick_low(Vec a, Vec b, Lanes<I...>) {
    return pick<((I & half) == 0 ? I : lanes + I - half)...>(a, b);
}
template <int half, int... I>
ALTERNANT_INLINE Vec pick_high(Vec a, Vec b, Lanes<I...>) {
    return pick<((I & half) == 0 ? I + half : lanes + I)...>(a, b);
}

template <int half>
ALTERNANT_INLINE void transpose_step(Vec* rows) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) {
        if ((i & half) == 0) {
            const Vec a = rows[i], b = rows[i + half];
            rows[i] = pick_low<half>(a, b, AllLanes{});
            rows[i + half] = pick_high<half>(a, b, AllLanes{});
        }
    }
    if constexpr (half > 1) transpose_step<half / 2>(rows);
}

// Transpose a lanes × lanes block in place.
ALTERNANT_INLINE void transpose(Vec* rows) {
    transpose_step<lanes / 2>(rows);
}

template <int half>
ALTERNANT_INLINE void fold_rows(Vec* rows) {
#pragma GCC unroll 16
    for (int i = 0; i < half; ++i) {
        const Vec a = rows[i], b = rows[i + half];
        rows[i] = pick_low<half>(a, b, AllLanes{}) + pick_high<half>(a, b, AllLanes{});
    }
    if constexpr (half > 1) fold_rows<half / 2>(rows);
}

// Lane i of the result is the sum of the lanes of rows[i]; `rows` is overwritten.
ALTERNANT_INLINE Vec sum_rows(Vec* rows) {
    fold_rows<lanes / 2>(rows);
    return rows[0];
}

constexpr int64_t padded(int64_t n) {
    return (n + lanes - 1) / lanes * lanes;
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
