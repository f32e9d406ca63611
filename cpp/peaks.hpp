// What this machine does at most at this level: multiply-adds in registers, and rows of a table gathered.
// What share of them other kernels reach is for benchmarks to say; nothing else calls these.
#pragma once

#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// Enough chains that the latency of one multiply-add is hidden, few enough for sixteen registers.
constexpr int n_chains = 12;

// `rounds` multiply-adds in each lane of each chain; the result depends on all of them.
inline float multiply_add_chains(int64_t rounds, float start) {
    Vec chain[n_chains];
    for (int i = 0; i < n_chains; ++i) chain[i] = broadcast(start + (float)i);
    const Vec factor = broadcast(0.5f + start), term = broadcast(0.25f + start);
    for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
        for (int i = 0; i < n_chains; ++i) chain[i] = chain[i] * factor + term;
    }
    Vec total = {};
    for (int i = 0; i < n_chains; ++i) total += chain[i];
    return sum(total);
}

// The sum of all numbers in the rows indices[0 … n) of a table of shape (n_rows, width).
inline float gather_rows(const float* table, int64_t width, const int32_t* indices, int64_t n) {
    Vec total[8] = {};
    for (int64_t e = 0; e < n; ++e) {
        const float* y = table + (int64_t)indices[e] * width;
        int64_t c = 0;
        for (; c + 8 * lanes <= width; c += 8 * lanes) {
#pragma GCC unroll 8
            for (int i = 0; i < 8; ++i) total[i] += load(y + c + i * lanes);
        }
        for (; c + lanes <= width; c += lanes) total[0] += load(y + c);
        if (c < width) total[1] += load_part(y + c, (int)(width - c));
    }
    Vec all = {};
    for (int i = 0; i < 8; ++i) all += total[i];
    return sum(all);
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
