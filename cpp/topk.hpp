// Exact ranking by inner products, for one instruction-set level.
//
// Rows of the table are packed, one panel of 2 * lanes rows at a time, with the row number running along the
// lanes; a panel meets a tile of queries in registers, and each query keeps its k best rows in a heap that
// lies in the output. Every score is one chain of multiply-adds per run of `column_run` columns, columns
// ascending, and the runs are added in order: it depends on the two rows and on the level, never on the other
// queries, panels, tiles or threads.
//
// A bound on a panel's scores (norm pruning) or a cheaper first look at it (AMX) belongs at the top of the
// panel loop of `top_k`: a panel that cannot beat any query's `threshold` need not be scored. What is kept
// has to come out of `score_tile` or `pair_scores`, which give the same bits.
#pragma once

#include <cstring>

#include "topk_task.hpp"
#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace topk {

constexpr int panel_rows = 2 * lanes;
constexpr int tile_queries =
    6;  // 12 accumulators, two panel vectors and a broadcast fit the 16 registers of AVX2
constexpr int64_t column_run = 64;
constexpr float lowest = -__builtin_inff();

// Write `n` rows (at most `stride`) side by side: to[c * stride + j] = column c of row j. Missing rows become
// zeros.
inline void pack(const float* const* rows, int n, int stride, int64_t width, LastColumn last, float* to) {
    if (n < stride) std::memset(to, 0, sizeof(float) * static_cast<size_t>(stride * width));
    constexpr int64_t run = 16;  // a cache line of each row at a time
    for (int64_t c0 = 0; c0 < width; c0 += run) {
        const int64_t c1 = c0 + run < width ? c0 + run : width;
        for (int j = 0; j < n; ++j) {
            const float* row = rows[j];
            for (int64_t c = c0; c < c1; ++c) to[c * stride + j] = row[c];
        }
    }
    if (last == LastColumn::stored) return;
    const float value = last == LastColumn::one ? 1.0f : 0.0f;
    for (int j = 0; j < n; ++j) to[(width - 1) * stride + j] = value;
}

// out[r][j] = queries[r] · panel row j, for R queries and panel_rows rows.
template <int R>
void score_tile(const float* queries, const float* panel, int64_t width, float* out) {
    int64_t c0 = 0;
    do {  // once for a table without columns, whose scores are all zero
        const int64_t c1 = c0 + column_run < width ? c0 + column_run : width;
        Vec low[R] = {};
        Vec high[R] = {};
        for (int64_t c = c0; c < c1; ++c) {
            const Vec a = load(panel + c * panel_rows);
            const Vec b = load(panel + c * panel_rows + lanes);
            for (int r = 0; r < R; ++r) {
                const float q = queries[r * width + c];
                low[r] += q * a;
                high[r] += q * b;
            }
        }
        for (int r = 0; r < R; ++r) {
            float* to = out + r * panel_rows;
            store(to, c0 == 0 ? low[r] : load(to) + low[r]);
            store(to + lanes, c0 == 0 ? high[r] : load(to + lanes) + high[r]);
        }
        c0 += column_run;
    } while (c0 < width);
}

inline void score_tile(int n, const float* queries, const float* panel, int64_t width, float* out) {
    switch (n) {
        case 1:
            return score_tile<1>(queries, panel, width, out);
        case 2:
            return score_tile<2>(queries, panel, width, out);
        case 3:
            return score_tile<3>(queries, panel, width, out);
        case 4:
            return score_tile<4>(queries, panel, width, out);
        case 5:
            return score_tile<5>(queries, panel, width, out);
        default:
            return score_tile<tile_queries>(queries, panel, width, out);
    }
}

// The k best of one query: a heap with the worst at the root. Rows are offered in ascending order of index,
// so a row that only equals the worst has the larger index and stays out.
struct Best {
    float* scores;
    int32_t* indices;
    int64_t k;
    int64_t n;

    bool worse(int64_t a, int64_t b) const {
        return scores[a] < scores[b] || (scores[a] == scores[b] && indices[a] > indices[b]);
    }
    void swap(int64_t a, int64_t b) {
        const float score = scores[a];
        const int32_t index = indices[a];
        scores[a] = scores[b];
        indices[a] = indices[b];
        scores[b] = score;
        indices[b] = index;
    }
    void sift_down(int64_t i, int64_t size) {
        for (;;) {
            int64_t worst = i;
            if (2 * i + 1 < size && worse(2 * i + 1, worst)) worst = 2 * i + 1;
            if (2 * i + 2 < size && worse(2 * i + 2, worst)) worst = 2 * i + 2;
            if (worst == i) return;
            swap(i, worst);
            i = worst;
        }
    }
    float threshold() const { return n < k ? lowest : scores[0]; }
    void offer(float score, int32_t index) {
        if (n < k) {
            int64_t i = n++;
            scores[i] = score;
            indices[i] = index;
            while (i > 0 && worse(i, (i - 1) / 2)) {
                swap(i, (i - 1) / 2);
                i = (i - 1) / 2;
            }
        } else {
            scores[0] = score;
            indices[0] = index;
            sift_down(0, n);
        }
    }
    // Best first.
    void sort() {
        for (int64_t size = n - 1; size > 0; --size) {
            swap(0, size);
            sift_down(0, size);
        }
    }
};

// Give the rows of the panel that this query excludes the lowest score; advances the query's cursor past the
// panel.
inline void exclude(const int32_t* indices, int n, const int32_t* excluded, int64_t end, int64_t* cursor,
                    float* scores) {
    int64_t at = *cursor;
    const int32_t last = indices[n - 1];
    for (int j = 0; at < end && excluded[at] <= last; ++at) {
        while (indices[j] < excluded[at]) ++j;
        if (indices[j] == excluded[at]) scores[j] = lowest;
    }
    *cursor = at;
}

// Offer the scores that beat the query's threshold. Scores that are NaN or minus infinity never do.
inline void select(const int32_t* indices, int n, const float* scores, Best* best) {
    float threshold = best->threshold();
    int hits = 0;
    for (int j = 0; j < panel_rows; ++j) hits |= scores[j] > threshold;
    if (hits == 0) return;
    for (int j = 0; j < n; ++j) {
        if (scores[j] > threshold) {
            best->offer(scores[j], indices[j]);
            threshold = best->threshold();
        }
    }
}

struct Scratch {
    float* panel;      // (width, panel_rows)
    float* scores;     // (tile_queries, panel_rows)
    float* scales;     // (panel_rows)
    int64_t* cursors;  // (max_queries_per_chunk)
    Best* bests;       // (max_queries_per_chunk)
};

inline size_t scratch_bytes(const TopKTask& task) {
    return sizeof(float) * static_cast<size_t>(panel_rows * (task.width + tile_queries + 1)) +
           static_cast<size_t>(max_queries_per_chunk) * (sizeof(int64_t) + sizeof(Best));
}

inline Scratch divide(void* memory, int64_t width) {
    Scratch s;
    s.panel = static_cast<float*>(memory);
    s.scores = s.panel + width * panel_rows;
    s.scales = s.scores + tile_queries * panel_rows;
    s.cursors = reinterpret_cast<int64_t*>(s.scales + panel_rows);
    s.bests = reinterpret_cast<Best*>(s.cursors + max_queries_per_chunk);
    return s;
}

// Rank for the queries [first, last), at most max_queries_per_chunk of them.
inline void top_k(const TopKTask& task, int64_t first, int64_t last, void* memory) {
    const Scratch s = divide(memory, task.width);
    const bool excludes = task.exclude_offsets != nullptr;
    for (int64_t q = first; q < last; ++q) {
        s.bests[q - first] = Best{task.out_scores + q * task.k, task.out_indices + q * task.k, task.k, 0};
        s.cursors[q - first] = excludes ? task.exclude_offsets[q] : 0;
    }
    for (int64_t at = 0; at < task.n_candidates; at += panel_rows) {
        const int n =
            static_cast<int>(task.n_candidates - at < panel_rows ? task.n_candidates - at : panel_rows);
        int32_t indices[panel_rows];
        const float* rows[panel_rows];
        for (int j = 0; j < n; ++j) {
            indices[j] = task.candidates != nullptr ? task.candidates[at + j] : static_cast<int32_t>(at + j);
            rows[j] = task.table + indices[j] * task.width;
            if (task.table_scale != nullptr) s.scales[j] = task.table_scale[indices[j]];
        }
        pack(rows, n, panel_rows, task.width, task.table_last, s.panel);
        for (int64_t q0 = first; q0 < last; q0 += tile_queries) {
            const int n_tile = static_cast<int>(last - q0 < tile_queries ? last - q0 : tile_queries);
            score_tile(n_tile, task.queries + q0 * task.width, s.panel, task.width, s.scores);
            for (int r = 0; r < n_tile; ++r) {
                const int64_t q = q0 + r;
                float* scores = s.scores + r * panel_rows;
                for (int j = n; j < panel_rows; ++j) scores[j] = lowest;
                if (task.table_scale != nullptr) {
                    for (int j = 0; j < n; ++j) scores[j] *= task.query_scale[q] * s.scales[j];
                }
                if (excludes) {
                    exclude(indices, n, task.exclude_indices, task.exclude_offsets[q + 1],
                            s.cursors + (q - first), scores);
                }
                select(indices, n, scores, s.bests + (q - first));
            }
        }
    }
    for (int64_t q = first; q < last; ++q) {
        s.bests[q - first].sort();
        task.out_counts[q] = s.bests[q - first].n;
    }
}

// The last column of a row as LastColumn says.
ALTERNANT_INLINE float last_value(const float* row, int64_t width, LastColumn last) {
    return last == LastColumn::stored ? row[width - 1] : last == LastColumn::one ? 1.0f : 0.0f;
}

// Columns [c, c + n) (n ≤ lanes) of up to `lanes` rows side by side: out[i] holds column c + i of each row.
// The rows beyond `n_rows` are those of the first.
ALTERNANT_INLINE void side_by_side(const float* const* rows, int n_rows, int64_t c, int n, Vec* out) {
    if (n == lanes) {
        for (int j = 0; j < lanes; ++j) out[j] = load(rows[j < n_rows ? j : 0] + c);
    } else {
        for (int j = 0; j < lanes; ++j) out[j] = load_part(rows[j < n_rows ? j : 0] + c, n);
    }
    transpose(out);
}

// Score the pairs [first, last), one pair to a lane: columns are added in the order of score_tile.
inline void pair_scores(const PairsTask& task, int64_t first, int64_t last) {
    const int64_t n_stored = task.left_last == LastColumn::stored && task.right_last == LastColumn::stored
                                 ? task.width
                                 : task.width - 1;
    for (int64_t at = first; at < last; at += lanes) {
        const int n = static_cast<int>(last - at < lanes ? last - at : lanes);
        const float* left_rows[lanes];
        const float* right_rows[lanes];
        bool is_one_row = true;  // as where pairs come row by row
        for (int j = 0; j < n; ++j) {
            left_rows[j] = task.left + task.left_rows[at + j] * task.width;
            right_rows[j] = task.right + task.right_rows[at + j] * task.width;
            is_one_row = is_one_row && left_rows[j] == left_rows[0];
        }
        Vec total = {};
        for (int64_t c0 = 0; c0 < task.width; c0 += column_run) {
            const int64_t c1 = c0 + column_run < task.width ? c0 + column_run : task.width;
            const int64_t stored_end = c1 < n_stored ? c1 : n_stored;
            Vec run = {};
            for (int64_t c = c0; c < stored_end; c += lanes) {
                const int n_here = static_cast<int>(stored_end - c < lanes ? stored_end - c : lanes);
                Vec left[lanes], right[lanes];
                side_by_side(right_rows, n, c, n_here, right);
                if (is_one_row) {
                    for (int i = 0; i < n_here; ++i) run += left_rows[0][c + i] * right[i];
                } else {
                    side_by_side(left_rows, n, c, n_here, left);
                    for (int i = 0; i < n_here; ++i) run += left[i] * right[i];
                }
            }
            if (stored_end < c1) {  // the last column, where a table's is not what is stored
                Vec left = {}, right = {};
                for (int j = 0; j < n; ++j) {
                    left[j] = last_value(left_rows[j], task.width, task.left_last);
                    right[j] = last_value(right_rows[j], task.width, task.right_last);
                }
                run += left * right;
            }
            total = c0 == 0 ? run : total + run;
        }
        float scores[lanes];
        store(scores, total);
        for (int j = 0; j < n; ++j) {
            float score = scores[j];
            if (task.right_scale != nullptr) {
                score *= task.left_scale[task.left_rows[at + j]] * task.right_scale[task.right_rows[at + j]];
            }
            task.out[at + j] = score;
        }
    }
}

}  // namespace topk
}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
