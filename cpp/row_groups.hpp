// Entries of a row by groups of as many as a vector has lanes: their fixed rows gathered one behind the
// other, and the two products that every pass over a row is made of.
#pragma once

#include "row_entries.hpp"
#include "row_scratch.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// A group is `lanes` consecutive entries; its rows lie one behind the other, kp floats each.

// sums[r] += y_r · x over `blocks` column blocks; the first column at `rows` and x.
template <int blocks>
ALTERNANT_INLINE void add_dots(const float* rows, int64_t kp, const float* x, Vec* sums) {
    Vec v[blocks];
#pragma GCC unroll 8
    for (int c = 0; c < blocks; ++c) v[c] = load(x + c * lanes);
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) {
#pragma GCC unroll 8
        for (int c = 0; c < blocks; ++c) sums[r] += load(rows + r * kp + c * lanes) * v[c];
    }
}

// y_r · x of the rows of a group.
ALTERNANT_INLINE Vec group_dots(const float* rows, int64_t kp, const float* x) {
    Vec sums[lanes];
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) sums[r] = Vec{};
    int64_t c = 0;
    for (; c + 4 * lanes <= kp; c += 4 * lanes) add_dots<4>(rows + c, kp, x + c, sums);
    for (; c < kp; c += lanes) add_dots<1>(rows + c, kp, x + c, sums);
    return sum_rows(sums);
}

// total += Σ_r factor[r] · y_r over `blocks` column blocks.
template <int blocks, class Meanwhile>
ALTERNANT_INLINE void add_rows(const float* rows, int64_t kp, const float* factor, float* total,
                               Meanwhile meanwhile) {
    Vec sums[blocks];
#pragma GCC unroll 8
    for (int c = 0; c < blocks; ++c) sums[c] = load(total + c * lanes);
    for (int r = 0; r < lanes; ++r) {
        meanwhile(r);
        const Vec f = broadcast(factor[r]);
#pragma GCC unroll 8
        for (int c = 0; c < blocks; ++c) sums[c] += f * load(rows + r * kp + c * lanes);
    }
#pragma GCC unroll 8
    for (int c = 0; c < blocks; ++c) store(total + c * lanes, sums[c]);
}

template <class Meanwhile>
ALTERNANT_INLINE void add_group(const float* rows, int64_t kp, const float* factor, float* total,
                                Meanwhile meanwhile) {
    const auto nothing = [](int) {};
    int64_t c = 0;
    if (kp >= 8 * lanes) {
        add_rows<8>(rows, kp, factor, total, meanwhile);
        for (c = 8 * lanes; c + 8 * lanes <= kp; c += 8 * lanes)
            add_rows<8>(rows + c, kp, factor, total + c, nothing);
        for (; c + 4 * lanes <= kp; c += 4 * lanes) add_rows<4>(rows + c, kp, factor, total + c, nothing);
    } else if (kp >= 4 * lanes) {
        add_rows<4>(rows, kp, factor, total, meanwhile);
        c = 4 * lanes;
    } else {
        for (int r = 0; r < lanes; ++r) meanwhile(r);
    }
    for (; c < kp; c += lanes) add_rows<1>(rows + c, kp, factor, total + c, nothing);
}

// Copy the fixed rows of the group from entry `first` (those beyond the row's end repeat its last).
ALTERNANT_INLINE void gather_group(const Row& row, int64_t first, float* rows) {
    const int64_t k = row.task.width, kp = padded(k);
    const bool plain = k == kp && !row.task.bias_column;
    for (int r = 0; r < lanes; ++r) {
        const float* y = row.fixed(first + r < row.n ? first + r : row.n - 1);
        const int64_t n_plain = plain ? kp : kp - lanes;
        for (int64_t c = 0; c < n_plain; c += lanes) store(rows + r * kp + c, load(y + c));
        if (!plain) store(rows + r * kp + n_plain, load_columns(y, n_plain, k, row.task.bias_column));
    }
}

// One number for each of the `count` entries from `first`, zeros behind them.
ALTERNANT_INLINE Vec term_of(const Row& row, const EntryTerm& term, int64_t first, int64_t count) {
    const int64_t e = row.begin + first;
    const float* values = term.array != nullptr ? term.array : row.task.values;
    Vec v = broadcast(1.0f);
    if (values != nullptr) v = count == lanes ? load(values + e) : load_part(values + e, (int)count);
    if (term.array == nullptr) v = (float)term.constant + (float)term.slope * v;
    const VecIndex used = lane_numbers(AllLanes{}) < (int32_t)count;
    return (Vec)((VecIndex)v & used);
}

// Entries whose fixed rows stay in s.panel; the others' are gathered anew in each pass, behind it.
ALTERNANT_INLINE float* rows_of_group(const Row& row, Scratch& s, int64_t first, bool fresh) {
    const int64_t kp = padded(row.task.width);
    const bool kept = first < s.n_kept;
    float* rows = s.panel + (kept ? first : s.n_kept) * kp;
    if (fresh || !kept) gather_group(row, first, rows);
    return rows;
}

// b, or the target, of each entry with the fixed side's own bias taken off; zeros behind the last.
ALTERNANT_INLINE Vec target_of(const Row& row, int64_t first, int64_t count, Vec a) {
    const RowsTask& task = row.task;
    const Vec t = term_of(row, task.b, first, count);
    if (!task.bias_column) return t;
    alignas(64) float biases[lanes] = {};
    for (int r = 0; r < count; ++r) biases[r] = row.fixed(first + r)[task.width - 1];
    return task.b_is_target ? t - load(biases) : t - a * load(biases);
}

// While entry e is worked on: ask for the row of a later entry that will be gathered again.
ALTERNANT_INLINE void prefetch_unkept(const Row& row, const Scratch& s, int64_t e) {
    if (e + prefetch_distance >= s.n_kept) row.prefetch(e + prefetch_distance);
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
