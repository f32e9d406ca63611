// Exact ranking by inner products, for one instruction-set level.
//
// The rows of the table come packed in panels by falling norm (topk_screen.hpp). A chunk of queries goes
// through the panels; at each, queries whose threshold no later row can reach leave, a tile of the others is
// screened, and the few rows that pass are scored as pairs are (topk_score.hpp) and offered to the query's
// heap. Rows that a query excludes are bits that are cleared from what passed. So what is listed is the same
// for every screen, chunk and number of threads: the k best by score, then by index.
#pragma once

#include "topk_best.hpp"
#include "topk_screen.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace topk {

// The queries of a chunk that are still looked at, one number of each per place; a place is a query in a
// tile.
struct Places {
    float* threshold;
    float* norm;
    float* residual;
    float* rounded;  // |s_x q_x|
    float* inverse_step;
    float* scale;
    float* floor;      // float32 screen: what the panel's approximate scores have to reach
    int32_t* above;    // int8: what their sums have to exceed
    int32_t* shifted;  // row_shift · Σ q_x, which the unsigned bytes add to a sum
    int32_t* query;    // which query of the chunk
};
constexpr int place_numbers = 10;

struct Scratch {
    Places places;
    Best* bests;         // (max_queries_per_chunk)
    uint64_t* seen;      // (n_panels, max_queries_per_chunk): rows that the query excludes
    uint8_t* packed;     // (max_queries_per_chunk, query_bytes)
    uint64_t* masks;     // (max_queries_per_chunk): of the places, at one panel
    const void** tiles;  // (max_queries_per_chunk): where the places' packed queries are
};

inline int64_t query_bytes(const TopKTask& task) {
    const int64_t bytes = is_int8(task.screen) ? task.width : 4 * task.width;
    return (bytes + 63) / 64 * 64;
}

inline int64_t seen_words(const TopKTask& task) {
    return task.exclude_offsets == nullptr ? 0 : panels_of(task.n);
}

inline size_t scratch_bytes(const TopKTask& task, int64_t per_chunk) {
    const size_t each = place_numbers * 4 + sizeof(Best) + sizeof(uint64_t) + sizeof(void*);
    const size_t packed = task.panels == nullptr ? 0 : static_cast<size_t>(query_bytes(task));
    return static_cast<size_t>(per_chunk) *
           (each + packed + sizeof(uint64_t) * static_cast<size_t>(seen_words(task)));
}

inline Scratch divide(const TopKTask& task, int64_t per_chunk, void* memory) {
    Scratch s;
    char* at = static_cast<char*>(memory);
    const auto take = [&at, per_chunk](size_t bytes) {
        char* here = at;
        at += bytes * static_cast<size_t>(per_chunk);
        return here;
    };
    s.packed =
        reinterpret_cast<uint8_t*>(take(task.panels == nullptr ? 0 : static_cast<size_t>(query_bytes(task))));
    s.seen = reinterpret_cast<uint64_t*>(take(sizeof(uint64_t) * static_cast<size_t>(seen_words(task))));
    s.masks = reinterpret_cast<uint64_t*>(take(sizeof(uint64_t)));
    s.tiles = reinterpret_cast<const void**>(take(sizeof(void*)));
    s.bests = reinterpret_cast<Best*>(take(sizeof(Best)));
    float** const floats[] = {&s.places.threshold,    &s.places.norm,  &s.places.residual, &s.places.rounded,
                              &s.places.inverse_step, &s.places.scale, &s.places.floor};
    for (float** to : floats) *to = reinterpret_cast<float*>(take(4));
    int32_t** const integers[] = {&s.places.above, &s.places.shifted, &s.places.query};
    for (int32_t** to : integers) *to = reinterpret_cast<int32_t*>(take(4));
    return s;
}

// Set the bits of the rows that query `q` excludes; false where they are out of range or do not ascend.
inline bool mark_seen(const TopKTask& task, int64_t q, int64_t per_chunk, uint64_t* seen) {
    const int64_t r = task.exclude_rows == nullptr ? q : task.exclude_rows[q];
    int32_t before = -1;
    for (int64_t e = task.exclude_offsets[r]; e < task.exclude_offsets[r + 1]; ++e) {
        const int32_t row = task.exclude_indices[e];
        if (row <= before || row >= task.n_rows) return false;
        before = row;
        const int32_t at = task.position[row];
        if (at >= 0) seen[at / panel_rows * per_chunk] |= uint64_t{1} << (at % panel_rows);
    }
    return true;
}

// Pack one query for the screen and write its numbers to place `p`.
inline void pack_query(const TopKTask& task, int64_t q, int64_t p, const Places& places, uint8_t* to) {
    const float* row = task.queries + q * task.width;
    const double scale = task.query_scale == nullptr ? 1.0 : task.query_scale[q];
    const Norm norm = norm_of(row, task.width, LastColumn::stored, scale);
    std::memset(to, 0, static_cast<size_t>(query_bytes(task)));
    places.threshold[p] = lowest;
    places.norm[p] = places.residual[p] = places.rounded[p] = infinite;
    places.inverse_step[p] = 1;
    places.scale[p] = static_cast<float>(scale < 0 ? -scale : scale);
    places.shifted[p] = 0;
    if (!norm.is_tame) return;
    places.norm[p] = static_cast<float>(norm.norm * inflation);
    if (!is_int8(task.screen)) {
        float* numbers = reinterpret_cast<float*>(to);
        for (int64_t c = 0; c < task.width; ++c) numbers[c] = row[c] * static_cast<float>(scale);
        return;
    }
    constexpr int limit = 127;
    float step = static_cast<float>(norm.largest / limit);
    if (step < 1e-30f) step = 1e-30f;
    int32_t sum = 0;
    const double residual =
        quantise(row, task.width, scale, step, limit, reinterpret_cast<int8_t*>(to), &sum);
    places.residual[p] = static_cast<float>(residual * inflation);
    places.rounded[p] = static_cast<float>((norm.norm + residual) * inflation);
    places.inverse_step[p] = 1 / step;
    places.shifted[p] = sum * row_shift(task.screen);
}

// Leave out the places whose thresholds no row of the panel, or of a later one, reaches; the order stays.
inline int64_t leave(const TopKTask& task, const PanelBounds& panel, int64_t n, const Places& places) {
    const float error = static_cast<float>(task.width + 16) / (1 << 23);
    const float tiny = smallest_normal * static_cast<float>(2 * task.width + 8);
    int64_t gone = 0;
    for (int64_t p = 0; p < n; ++p) {
        const float bound = places.norm[p] * panel.norm * (1 + error) +
                            tiny * (1 + places.scale[p] * panel.scale + places.norm[p] + panel.norm);
        gone += bound < places.threshold[p];
    }
    if (gone * 8 < n) return n;  // worth moving them only when they are many: to screen them does no harm
    int64_t kept = 0;
    for (int64_t p = 0; p < n; ++p) {
        const float bound = places.norm[p] * panel.norm * (1 + error) +
                            tiny * (1 + places.scale[p] * panel.scale + places.norm[p] + panel.norm);
        if (bound < places.threshold[p]) continue;
        places.threshold[kept] = places.threshold[p];
        places.norm[kept] = places.norm[p];
        places.residual[kept] = places.residual[p];
        places.rounded[kept] = places.rounded[p];
        places.inverse_step[kept] = places.inverse_step[p];
        places.scale[kept] = places.scale[p];
        places.shifted[kept] = places.shifted[p];
        places.query[kept] = places.query[p];
        ++kept;
    }
    return kept;
}

// How far an approximate score may be from the score of a row of the panel.
inline float error_bound(const TopKTask& task, const PanelBounds& panel, int64_t p, const Places& places) {
    const float error = static_cast<float>(task.width + 16) / (1 << 23);
    const float tiny = smallest_normal * static_cast<float>(2 * task.width + 8);
    const float rounding = error * places.norm[p] * panel.norm +
                           tiny * (1 + places.scale[p] * panel.scale + places.norm[p] + panel.norm);
    return is_int8(task.screen)
               ? rounding + places.residual[p] * panel.norm + places.rounded[p] * panel.residual
               : 2 * rounding;
}

// Write what approximate scores have to reach (float32) or exceed (int8) at this panel.
inline void set_floors(const TopKTask& task, const PanelBounds& panel, int64_t n, const Places& places) {
    if (!is_int8(task.screen)) {
        for (int64_t p = 0; p < n; ++p) {
            const float floor = places.threshold[p] - error_bound(task, panel, p, places);
            places.floor[p] = floor > lowest ? floor : lowest;  // lowest for what is not a number
        }
        return;
    }
    const float inverse_step = 1 / panel.step;
    constexpr float far = 1e9f;  // beyond all sums, and with `shifted` within 32 bits
    for (int64_t p = 0; p < n; ++p) {
        float floor = (places.threshold[p] - error_bound(task, panel, p, places)) * places.inverse_step[p] *
                      inverse_step;
        floor = floor > -far ? floor : -far;
        floor = floor < far ? floor : far;
        places.above[p] = static_cast<int32_t>(floor) - 1 + places.shifted[p];
    }
}

// Write the approximate scores of place p at a panel: (panel_rows).
inline void approximate(const TopKTask& task, [[maybe_unused]] const PanelBounds& panel,
                        const uint8_t* packed, int64_t p, const Scratch& s, float* out) {
    const uint8_t* query = s.packed + s.places.query[p] * query_bytes(task);
#if defined(__AVX2__)
    if (is_int8(task.screen)) {
        const int64_t words = (task.width + 3) / 4;
        int32_t sums[panel_rows];
        if (task.screen == Screen::int8_fours) {
            approximate_int8<Screen::int8_fours>(reinterpret_cast<const int8_t*>(query), packed, words, sums);
        } else {
            approximate_int8<Screen::int8_pairs>(reinterpret_cast<const int8_t*>(query), packed, words, sums);
        }
        const float query_step = 1 / s.places.inverse_step[p];
        for (int j = 0; j < panel_rows; ++j) {
            // Not times the product of the steps, which may be flushed to zero where a whole score is not.
            out[j] = static_cast<float>(sums[j] - s.places.shifted[p]) * panel.step * query_step;
        }
        return;
    }
#endif
    approximate_float32(reinterpret_cast<const float*>(query), reinterpret_cast<const float*>(packed),
                        task.width, out);
}

// Give the places a first threshold, so that few rows of the first panels are scored: k rows there have
// approximate scores which, less the bound, are at least so much. Uses the empty heaps.
inline void first_thresholds(const TopKTask& task, int64_t n, int64_t per_chunk, const Scratch& s) {
    constexpr int64_t rows_per_place = 4;  // of the list: enough that k rows are left, whatever is excluded
    const int64_t wanted = (task.k * rows_per_place + panel_rows - 1) / panel_rows, all = panels_of(task.n);
    const int64_t words = seen_words(task);
    for (int64_t i = 0; i < (wanted < all ? wanted : all); ++i) {
        const int64_t left = task.n - i * panel_rows;
        PanelBounds bounds;
        std::memcpy(&bounds, task.bounds + i * panel_bounds, sizeof bounds);
        const uint8_t* packed = task.panels + i * panel_bytes(task.screen, task.width);
        for (int64_t p = 0; p < n; ++p) {
            const int32_t query = s.places.query[p];
            Best* best = s.bests + query;
            float scores[panel_rows];
            approximate(task, bounds, packed, p, s, scores);
            const float error = error_bound(task, bounds, p, s.places);
            const uint64_t seen = words == 0 ? 0 : s.seen[i * per_chunk + query];
            for (int j = 0; j < (left < panel_rows ? left : panel_rows); ++j) {
                const float least = scores[j] - error;  // not a number, or minus infinity, where unbounded
                if (least > best->threshold() && (seen >> j & 1) == 0) best->offer(least, j);
            }
        }
    }
    for (int64_t p = 0; p < n; ++p) {
        Best* best = s.bests + s.places.query[p];
        s.places.threshold[p] = best->threshold();
        best->n = 0;
    }
}

template <int R>
void screen_tile(const TopKTask& task, const uint8_t* panel, int64_t p, const Scratch& s) {
    const void* const* queries = s.tiles + p;
#if defined(__AVX2__)
    const int64_t words = (task.width + 3) / 4;
    const int8_t* const* bytes = reinterpret_cast<const int8_t* const*>(queries);
    if (task.screen == Screen::int8_fours) {
        return screen_int8<R, Screen::int8_fours>(bytes, panel, words, s.places.above + p, s.masks + p);
    }
    if (task.screen == Screen::int8_pairs) {
        return screen_int8<R, Screen::int8_pairs>(bytes, panel, words, s.places.above + p, s.masks + p);
    }
#endif
    screen_float32<R>(reinterpret_cast<const float* const*>(queries), reinterpret_cast<const float*>(panel),
                      task.width, s.places.floor + p, s.masks + p);
}

// Set the masks of n places. Meanwhile the rows behind the panel come nearer, some cache lines a tile.
inline void screen_panel(const TopKTask& task, int64_t panel, int64_t n, const Scratch& s) {
    constexpr int64_t lines_per_tile = 8;
    const uint8_t* packed = task.panels + panel * panel_bytes(task.screen, task.width);
    const int64_t stride = query_bytes(task);
    const int64_t left = task.n - panel * panel_rows;
    const char* line = reinterpret_cast<const char*>(task.rows + panel * panel_rows * task.width);
    const char* end =
        line + sizeof(float) * static_cast<size_t>((left < panel_rows ? left : panel_rows) * task.width);
    for (int64_t p = 0; p < n; ++p) s.tiles[p] = s.packed + s.places.query[p] * stride;
    int64_t p = 0;
    for (; p + tile_queries <= n; p += tile_queries) {
        for (int64_t i = 0; i < lines_per_tile && line < end; ++i, line += 64) __builtin_prefetch(line, 0, 2);
        screen_tile<tile_queries>(task, packed, p, s);
    }
    for (; p < n; ++p) screen_tile<1>(task, packed, p, s);
}

inline const float* row_at(const TopKTask& task, int64_t at) {
    return task.rows != nullptr ? task.rows + at * task.width : task.table + task.order[at] * task.width;
}

// Score the rows that passed and offer them.
inline void offer(const TopKTask& task, int64_t panel, int64_t q, uint64_t mask, Best* best) {
    const float* query = task.queries + q * task.width;
    for (; mask != 0; mask &= mask - 1) {
        const int64_t at = panel * panel_rows + __builtin_ctzll(mask);
        const int32_t row = task.order[at];
        const float scale = task.table_scale == nullptr ? 1.0f : task.query_scale[q] * task.table_scale[row];
        best->offer(score(query, row_at(task, at), task.width, LastColumn::stored, task.table_last, scale),
                    row);
    }
}

// Rank for the queries [first, last), at most per_chunk of them; false where an excluded row is out of range
// or out of order.
inline bool top_k(const TopKTask& task, int64_t first, int64_t last, int64_t per_chunk, void* memory) {
    const Scratch s = divide(task, per_chunk, memory);
    const int64_t n_panels = panels_of(task.n), words = seen_words(task);
    std::memset(s.seen, 0, sizeof(uint64_t) * static_cast<size_t>(words * per_chunk));
    for (int64_t q = first; q < last; ++q) {
        const int64_t p = q - first;
        s.bests[p] = Best{task.out_scores + q * task.k, task.out_indices + q * task.k, task.k, 0};
        s.places.query[p] = static_cast<int32_t>(p);
        if (words != 0 && !mark_seen(task, q, per_chunk, s.seen + p)) return false;
        if (task.panels != nullptr) pack_query(task, q, p, s.places, s.packed + p * query_bytes(task));
    }
    int64_t n = last - first;
    if (task.panels != nullptr) first_thresholds(task, n, per_chunk, s);
    for (int64_t i = 0; i < n_panels && n > 0; ++i) {
        const int64_t left = task.n - i * panel_rows;
        const uint64_t there = left < panel_rows ? (uint64_t{1} << left) - 1 : ~uint64_t{0};
        if (task.panels != nullptr) {
            PanelBounds bounds;
            std::memcpy(&bounds, task.bounds + i * panel_bounds, sizeof bounds);
            if (bounds.norm < infinite) n = leave(task, bounds, n, s.places);
            set_floors(task, bounds, n, s.places);
            screen_panel(task, i, n, s);
        } else {
            for (int64_t p = 0; p < n; ++p) s.masks[p] = ~uint64_t{0};
        }
        for (int64_t p = 0; p < n; ++p) {
            uint64_t mask = s.masks[p] & there;
            if (mask == 0) continue;
            const int32_t query = s.places.query[p];
            if (words != 0) mask &= ~s.seen[i * per_chunk + query];
            if (mask == 0) continue;
            Best* best = s.bests + query;
            offer(task, i, first + query, mask, best);
            // Before there are k, what the first look promised holds.
            if (best->n == best->k) s.places.threshold[p] = best->threshold();
        }
    }
    for (int64_t q = first; q < last; ++q) {
        s.bests[q - first].sort();
        task.out_counts[q] = s.bests[q - first].n;
    }
    return true;
}

}  // namespace topk
}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
