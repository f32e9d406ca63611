// The score of two rows, for one instruction-set level: the one place where a score that is listed comes
// from.
//
// One chain of multiply-adds per lane (column c belongs to lane c % lanes), then the sum of the lanes, halves
// first. It depends on the two rows and on the level, and is the same with the rows exchanged.
#pragma once

#include "topk_task.hpp"
#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace topk {

constexpr float lowest = -__builtin_inff();

// The columns of a row after the last full vector, 1 to `lanes` of them, the last one read as `last` says.
ALTERNANT_INLINE Vec load_tail(const float* p, int count, LastColumn last) {
    const Vec v = count < lanes ? load_part(p, count) : load(p);
    if (last == LastColumn::stored) return v;
    const VecIndex at_last = lane_numbers(AllLanes{}) == count - 1;
    const VecIndex value = last == LastColumn::one ? (VecIndex)broadcast(1.0f) : VecIndex{};
    return (Vec)(((VecIndex)v & ~at_last) | (value & at_last));
}

// Not inlined: one piece of code gives every score its bits.
__attribute__((noinline)) inline float score(const float* left, const float* right, int64_t width,
                                             LastColumn left_last, LastColumn right_last, float scale) {
    if (width == 0) return 0.0f * scale;
    const int64_t full = (width - 1) / lanes * lanes;
    Vec total = {};
    for (int64_t c = 0; c < full; c += lanes) total += load(left + c) * load(right + c);
    const int count = static_cast<int>(width - full);
    total += load_tail(left + full, count, left_last) * load_tail(right + full, count, right_last);
    return sum(total) * scale;
}

// Score the pairs [first, last).
inline void pair_scores(const PairsTask& task, int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
        const int64_t left = task.left_rows[p], right = task.right_rows[p];
        const float scale =
            task.right_scale == nullptr ? 1.0f : task.left_scale[left] * task.right_scale[right];
        task.out[p] = score(task.left + left * task.width, task.right + right * task.width, task.width,
                            task.left_last, task.right_last, scale);
    }
}

}  // namespace topk
}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
