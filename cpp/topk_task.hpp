// What the ranking kernels are asked for. Plain data, shared by the binding and by every instruction-set
// level.
#pragma once

#include <cstdint>

namespace alternant {

// How the last column of a table is read: with biases, a user's row carries the user's own bias there, which
// a score takes as 1 (so that the item's bias is added as it is), and a cosine leaves out.
enum class LastColumn : int32_t { stored = 0, one = 1, zero = 2 };

// The largest number of queries that one call of top_k takes.
constexpr int64_t max_queries_per_chunk = 240;

// Rank the rows of `table` for each query: score(q, i) = sum over columns of queries[q][c] * table[i][c],
// times query_scale[q] * table_scale[i] where there are scales.
struct TopKTask {
    const float* queries;  // (n_queries, width)
    const float* table;    // (n_rows, width)
    int64_t n_queries;
    int64_t n_rows;
    int64_t width;
    LastColumn table_last;
    const float* query_scale;        // (n_queries) or null
    const float* table_scale;        // (n_rows) or null
    const int64_t* exclude_offsets;  // (n_queries + 1) or null
    const int32_t* exclude_indices;  // ascending within a query
    const int32_t* candidates;       // (n_candidates), ascending, or null for every row
    int64_t n_candidates;            // n_rows where candidates is null
    int64_t k;                       // at most n_candidates
    int32_t* out_indices;            // (n_queries, k): the first counts[q] of each row are written
    float* out_scores;               // (n_queries, k)
    int64_t* out_counts;             // (n_queries)
};

// Score the pairs (left[left_rows[p]], right[right_rows[p]]), by the same additions in the same order as
// top_k.
struct PairsTask {
    const float* left;   // (n_left, width)
    const float* right;  // (n_right, width)
    int64_t width;
    LastColumn left_last;
    LastColumn right_last;
    const float* left_scale;    // (n_left) or null
    const float* right_scale;   // (n_right) or null
    const int32_t* left_rows;   // (n_pairs)
    const int32_t* right_rows;  // (n_pairs)
    float* out;                 // (n_pairs)
};

}  // namespace alternant
