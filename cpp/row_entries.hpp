// One row of the side that is solved: its entries, what they mean, and the fixed rows that they point at.
#pragma once

#include "rows_task.hpp"
#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// How many entries ahead a fixed row is asked for.
constexpr int64_t prefetch_distance = 24;

// One row's entries and terms.
struct Row {
    const RowsTask& task;
    int64_t index;  // in the block
    int64_t begin;  // its entries [begin, begin + n) of the block's entry arrays
    int64_t n;

    const float* fixed(int64_t e) const {
        const int64_t i = task.indices[begin + e];
        return task.shards[i >> task.shard_shift] + (i & task.shard_mask) * task.width;
    }
    // Ask for a fixed row that will be read soon: rows lie anywhere in a table larger than the caches.
    void prefetch(int64_t e) const {
        if (e >= n) return;
        const char* p = (const char*)fixed(e);
        // Longer rows are streams, which the processor sees for itself.
        const int64_t bytes = task.width < 128 ? task.width * 4 : 512;
        for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i, 0, 2);
    }
    float term(const EntryTerm& t, int64_t e) const {
        if (t.array != nullptr) return t.array[begin + e];
        const double value = task.values != nullptr ? task.values[begin + e] : 1.0;
        return (float)(t.constant + t.slope * value);
    }
    float a(int64_t e) const { return term(task.a, e); }
    // Without entries and with an h of 0 the solution is 0, even where the ridge is 0 and M singular.
    bool is_empty() const {
        if (n > 0) return false;
        for (int64_t c = 0; task.h != nullptr && c < task.width; ++c) {
            if (task.h[index * task.width + c] != 0.0f) return false;
        }
        return true;
    }
    // b, or the target, with the fixed side's own bias taken off.
    float target(int64_t e, float a) const {
        const float t = term(task.b, e);
        if (!task.bias_column) return t;
        const float bias = fixed(e)[task.width - 1];
        return task.b_is_target ? t - bias : t - a * bias;
    }
};

// The columns [c, c + lanes) of a fixed row, with a 1 in the place of its bias and zeros beyond the width.
ALTERNANT_INLINE Vec load_columns(const float* y, int64_t c, int64_t width, bool bias_column) {
    const int64_t left = width - c;
    if (left > lanes) return load(y + c);
    if (bias_column) return load_part(y + c, (int)left - 1) + unit((int)left - 1);
    return left == lanes ? load(y + c) : load_part(y + c, (int)left);
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
