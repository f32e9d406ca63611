// Screening: which rows of a panel might reach a query's threshold, for one instruction-set level.
//
// A screen computes approximate scores of a tile of queries against a panel of 64 rows (topk_tiles.hpp) and
// sets a bit for every row whose score could reach the threshold. The bound is rigorous: a row without a bit
// does not. What is listed comes from `score`, so that it is the same with every screen.
//
// The bound. Let x, y be a query and a row with their scales in (|x|, |y| Euclidean norms), F the float32
// score that `score` gives, S = x · y in real numbers.
//   1. |F − S| ≤ δ |x| |y| + tiny. A sum of w products in any order, two products with scales: at most w + 4
//      roundings of 2⁻²⁴ each on Σ |x_c y_c| ≤ |x| |y|; δ = (w + 16) 2⁻²³ is more than twice that. `tiny`
//      is for products and sums below 2⁻¹²⁶, which are flushed to zero: (2 w + 8) of them, times 1 + the
//      scales + |x| + |y|. (Numbers below it are zeros to everything here: all of it runs where they are
//      flushed.)
//   2. int8: x = s_x q_x + r_x and y = s_p q_y + r_y with integers q. So S − s_x s_p (q_x · q_y) =
//      r_x · y + (s_x q_x) · r_y, at most E = |r_x| |y| + |s_x q_x| |r_y| by Cauchy and Schwarz. The norms
//      of the residuals are those of the numbers that were stored, whatever the rounding did.
//      float32: E = 0, and the sum that the tile computes is as far from S as F is: twice 1.
// So F ≥ t needs q_x · q_y ≥ (t − E − 1.) / (s_x s_p). Norms are computed in float64 and stored with 2⁻¹⁶
// added, which outweighs the roundings of the bound's own arithmetic (a dozen of 2⁻²⁴). Rows and queries that
// are not `tame` (a number that is not finite or beyond 1e18) pass every screen.
#pragma once

#include <cmath>
#include <cstring>

#include "topk_tiles.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace topk {

constexpr double inflation = 1.0 + 1.0 / 65536;
constexpr double tame_limit = 1e18;
constexpr float smallest_normal = 1.17549435e-38f;
constexpr float infinite = __builtin_inff();

// Of a panel: what its rows have in common. step: the value of 1 in q. norm, residual: the largest |y| and
// |r_y|; norm is infinite where a row is not tame. scale: the largest |table_scale|, or 1.
struct PanelBounds {
    float step, norm, residual, scale;
};
static_assert(sizeof(PanelBounds) == panel_bounds * sizeof(float));

inline bool is_int8(Screen screen) {
    return screen != Screen::float32;
}
// The largest |q| of a row of the table, and what is added to make it an unsigned byte.
inline int row_limit(Screen screen) {
    return screen == Screen::int8_fours ? 127 : 63;
}
inline int row_shift(Screen screen) {
    return screen == Screen::int8_fours ? 128 : 64;
}

inline bool is_tame_scale(double scale) {
    const double size = scale < 0 ? -scale : scale;
    return size == 0 || (size >= 1 / tame_limit && size <= tame_limit);
}

// Column c of a row as it is scored, without the row's scale.
inline float column(const float* row, int64_t c, int64_t width, LastColumn last) {
    if (c + 1 < width || last == LastColumn::stored) return row[c];
    return last == LastColumn::one ? 1.0f : 0.0f;
}

struct Norm {
    double norm;     // with the scale
    double largest;  // |number|, with the scale
    bool is_tame;
};

inline Norm norm_of(const float* row, int64_t width, LastColumn last, double scale) {
    double parts[8] = {};  // so that the compiler may use vectors
    float largest = 0;
    const int64_t plain = last == LastColumn::stored ? width : width - 1;
    int64_t c = 0;
    for (; c + 8 <= plain; c += 8) {
        for (int j = 0; j < 8; ++j) parts[j] += static_cast<double>(row[c + j]) * row[c + j];
    }
    for (; c < plain; ++c) parts[0] += static_cast<double>(row[c]) * row[c];
    if (plain < width && last == LastColumn::one) parts[0] += 1;
    for (c = 0; c < plain; ++c) {
        const float size = row[c] < 0 ? -row[c] : row[c];
        largest = size > largest ? size : largest;
    }
    if (plain < width && last == LastColumn::one && largest < 1) largest = 1;
    double total = 0;
    for (const double part : parts) total += part;
    const double bare = std::sqrt(total), size = scale < 0 ? -scale : scale;
    const bool is_tame = bare <= tame_limit && bare * size <= tame_limit && is_tame_scale(scale);
    return {bare * size, largest * size, is_tame};
}

// Write q = round(x · scale / step), at most `limit` in size, for the columns of a row; add their sum to
// *sum. Returns the norm of x · scale − step · q: whatever the rounding did, it is what the bound counts on.
inline double quantise(const float* row, int64_t width, double scale, double step, int limit, int8_t* to,
                       int32_t* sum) {
    const double ratio = scale / step, size = ratio < 0 ? -ratio : ratio;
    const float inverse = size < 1e30 ? static_cast<float>(ratio) : 0.0f;  // all of it is residual, then
    for (int64_t c = 0; c < width; ++c) {
        const float scaled = row[c] * inverse;
        int32_t q = static_cast<int32_t>(scaled + (scaled < 0 ? -0.5f : 0.5f));
        q = q > limit ? limit : q;
        to[c] = static_cast<int8_t>(q < -limit ? -limit : q);
    }
    for (int64_t c = 0; c < width; ++c) *sum += to[c];
    double parts[8] = {};  // so that the compiler may use vectors
    const auto add = [&](int64_t c, int j) {
        const double r = row[c] * scale - step * to[c];
        parts[j] += r * r;
    };
    int64_t c = 0;
    for (; c + 8 <= width; c += 8) {
        for (int j = 0; j < 8; ++j) add(c + j, j);
    }
    for (; c < width; ++c) add(c, 0);
    double total = 0;
    for (const double part : parts) total += part;
    return std::sqrt(total);
}

// Write the norms, with the scale, of the rows [first, last) of the order; infinite where one is not tame.
inline void row_norms(const PackTask& task, int64_t first, int64_t last, double* norms) {
    for (int64_t i = first; i < last; ++i) {
        const int64_t row = task.order == nullptr ? i : task.order[i];
        const double scale = task.table_scale == nullptr ? 1.0 : task.table_scale[row];
        const Norm norm = norm_of(task.table + row * task.width, task.width, task.table_last, scale);
        norms[i] = norm.is_tame ? norm.norm : static_cast<double>(infinite);
    }
}

inline void pack_float32(const PackTask& task, const int32_t* rows, int n, float* to) {
    std::memset(to, 0, static_cast<size_t>(panel_bytes(Screen::float32, task.width)));
    for (int j = 0; j < n; ++j) {
        const float* row = task.table + rows[j] * task.width;
        const float scale = task.table_scale == nullptr ? 1.0f : task.table_scale[rows[j]];
        float* lane = to + j / tile_rows * tile_rows * task.width + j % tile_rows;
        for (int64_t c = 0; c < task.width; ++c) {
            lane[c * tile_rows] = column(row, c, task.width, task.table_last) * scale;
        }
    }
}

// Returns the largest residual of the panel. `row` has room for one row, as floats and as bytes.
inline double pack_int8(const PackTask& task, const int32_t* rows, int n, double step, float* row,
                        uint8_t* to) {
    const int64_t words = (task.width + 3) / 4;
    const int limit = row_limit(task.screen), shift = row_shift(task.screen);
    int8_t* bytes = reinterpret_cast<int8_t*>(row + task.width);
    std::memset(to, shift, static_cast<size_t>(panel_bytes(task.screen, task.width)));
    std::memset(bytes, 0, static_cast<size_t>(words * 4));
    double largest = 0;
    for (int j = 0; j < n; ++j) {
        std::memcpy(row, task.table + rows[j] * task.width, sizeof(float) * static_cast<size_t>(task.width));
        if (task.width > 0) row[task.width - 1] = column(row, task.width - 1, task.width, task.table_last);
        const double scale = task.table_scale == nullptr ? 1.0 : task.table_scale[rows[j]];
        int32_t sum = 0;
        const double residual = quantise(row, task.width, scale, step, limit, bytes, &sum);
        largest = residual > largest ? residual : largest;
        for (int64_t c = 0; c < words * 4; ++c) bytes[c] = static_cast<int8_t>(bytes[c] + shift);
        uint8_t* lane = to + j / tile_rows * tile_rows * words * 4 + j % tile_rows * 4;
        for (int64_t w = 0; w < words; ++w) std::memcpy(lane + w * 4 * tile_rows, bytes + 4 * w, 4);
        std::memset(bytes, 0, static_cast<size_t>(words * 4));
    }
    return largest;
}

// Of memory for pack_panels.
inline size_t pack_scratch_bytes(const PackTask& task) {
    return static_cast<size_t>(5 * task.width + 64);
}

// Pack the panels [first, last).
inline void pack_panels(const PackTask& task, int64_t first, int64_t last, void* scratch) {
    for (int64_t p = first; p < last; ++p) {
        const int32_t* rows = task.order + p * panel_rows;
        const int64_t left = task.n - p * panel_rows;
        const int n = static_cast<int>(left < panel_rows ? left : panel_rows);
        for (int j = 0; j < n; ++j) {  // they come from all over the table
            const float* row = task.table + rows[j] * task.width;
            for (int64_t c = 0; c < task.width; c += 16) __builtin_prefetch(row + c);
        }
        double norm = 0, largest = 0, scale_size = 0;
        bool is_tame = true;
        for (int j = 0; j < n; ++j) {
            const double scale = task.table_scale == nullptr ? 1.0 : task.table_scale[rows[j]];
            const Norm of = norm_of(task.table + rows[j] * task.width, task.width, task.table_last, scale);
            is_tame = is_tame && of.is_tame;
            norm = of.norm > norm ? of.norm : norm;
            largest = of.largest > largest ? of.largest : largest;
            const double size = scale < 0 ? -scale : scale;
            scale_size = size > scale_size ? size : scale_size;
        }
        for (int j = 0; j < n; ++j) {
            std::memcpy(task.rows + (p * panel_rows + j) * task.width, task.table + rows[j] * task.width,
                        sizeof(float) * static_cast<size_t>(task.width));
        }
        uint8_t* to = task.panels + p * panel_bytes(task.screen, task.width);
        PanelBounds bounds{1, infinite, 0, 0};
        if (is_tame) {
            double residual = 0, step = 1;
            if (!is_int8(task.screen)) {
                pack_float32(task, rows, n, reinterpret_cast<float*>(to));
            } else {
                step = static_cast<float>(largest / row_limit(task.screen));
                if (step < 1e-30) step = 1e-30f;  // all but zeros: the residual is the row
                residual = pack_int8(task, rows, n, step, static_cast<float*>(scratch), to);
            }
            bounds = {static_cast<float>(step), static_cast<float>(norm * inflation),
                      static_cast<float>(residual * inflation), static_cast<float>(scale_size)};
        } else {
            std::memset(to, 0, static_cast<size_t>(panel_bytes(task.screen, task.width)));
        }
        std::memcpy(task.bounds + p * panel_bounds, &bounds, sizeof bounds);
    }
}

}  // namespace topk
}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
