// What the ranking kernels are asked for. Plain data, shared by the binding and by every instruction-set
// level.
#pragma once

#include <cstddef>
#include <cstdint>

namespace alternant {

// How the last column of a table is read: with biases, a user's row carries the user's own bias there, which
// a score takes as 1 (so that the item's bias is added as it is), and a cosine leaves out.
enum class LastColumn : int32_t { stored = 0, one = 1, zero = 2 };

// How the rows of a table are looked at before a score is computed (topk_screen.hpp). What is listed does not
// depend on it.
enum class Screen : int32_t {
    float32 = 0,     // every level
    int8_pairs = 1,  // AVX2 and up: products of 8-bit numbers added in pairs, of which one side has 7 bits
    int8_fours = 2,  // AVX-512 with VNNI: in fours, 8 bits on both sides
};

constexpr int64_t panel_rows = 64;     // rows of a table that are screened together
constexpr int64_t panel_bounds = 4;    // numbers that bound the scores of a panel: struct PanelBounds
constexpr int64_t widest_int8 = 8192;  // beyond, sums of products of bytes could leave 32 bits

// The largest number of queries that one call of top_k takes; a multiple of every tile.
constexpr int64_t max_queries_per_chunk = 192;

// A table made ready for screening: its rows (or those that are candidates) by falling norm, in panels of 64.
struct PackTask {
    const float* table;  // (n_rows, width)
    int64_t width;
    LastColumn table_last;
    const float* table_scale;  // (n_rows) or null
    const int32_t* order;      // (n): rows of the table
    int64_t n;
    Screen screen;
    float* rows;      // (n, width): copies in that order, so that neighbours are looked up near each other
    uint8_t* panels;  // (n_panels, panel_bytes)
    float* bounds;    // (n_panels, panel_bounds)
};

// Static, as panels_of: a copy compiled for one level must not serve another.
static inline int64_t panel_bytes(Screen screen, int64_t width) {
    return panel_rows * (screen == Screen::float32 ? 4 * width : (width + 3) / 4 * 4);
}

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
    const int64_t* exclude_offsets;  // (n_exclude + 1) or null
    const int32_t* exclude_indices;  // rows of the table, ascending within a query
    const int32_t* exclude_rows;     // (n_queries): which row of exclude_offsets is the query's, or null
    int64_t n_exclude;
    const int32_t* order;     // (n): the rows to rank, each once: ascending, or as they were packed
    const int32_t* position;  // (n_rows): where in `order` a row is, or -1; null where nothing is excluded
    int64_t n;
    Screen screen;
    const float* rows;      // as packed, or null: score every row
    const uint8_t* panels;  // likewise
    const float* bounds;
    int64_t k;             // at most n
    int32_t* out_indices;  // (n_queries, k): the first counts[q] of each row are written
    float* out_scores;     // (n_queries, k)
    int64_t* out_counts;   // (n_queries)
};

static inline int64_t panels_of(int64_t n) {
    return (n + panel_rows - 1) / panel_rows;
}

// Score the pairs (left[left_rows[p]], right[right_rows[p]]), to the bits of top_k.
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
