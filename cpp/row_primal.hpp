// The primal orientation of rows.hpp: (I_k + Zᵀ S Z) s = D^−½ (Σ b y + h), for all other rows.
#pragma once

#include "row_entries.hpp"
#include "row_scratch.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// One fixed row y into a panel: root · y · scale, a vector to each column block, `stride` floats apart.
ALTERNANT_INLINE void pack(const float* y, float root, int64_t k, bool bias_column, const float* scale,
                           float* panel, int64_t stride) {
    const int64_t n_whole = (k - 1) / lanes;  // blocks that hold no bias and no padding
    for (int64_t c = 0; c < n_whole; ++c) {
        store(panel + c * stride, root * load(y + c * lanes) * load(scale + c * lanes));
    }
    const int64_t c = n_whole * lanes;
    store(panel + n_whole * stride, root * load_columns(y, c, k, bias_column) * load(scale + c));
}

// The right side of an entry with a = 0: rhs += b · y · scale.
ALTERNANT_INLINE void add_to_rhs(const float* y, float b, int64_t k, bool bias_column, Scratch& s) {
    for (int64_t c = 0; c < padded(k); c += lanes) {
        store(s.rhs + c, load(s.rhs + c) + b * load_columns(y, c, k, bias_column) * load(s.scale + c));
    }
}

// Σ_e x[e] · rows[e] over n rows of one vector each.
ALTERNANT_INLINE Vec combine_rows(const float* x, const float* rows, int64_t n) {
    Vec sums[4] = {};
    int64_t e = 0;
    for (; e + 4 <= n; e += 4) {
#pragma GCC unroll 4
        for (int64_t i = 0; i < 4; ++i) sums[i] += x[e + i] * load(rows + (e + i) * lanes);
    }
    for (; e < n; ++e) sums[0] += x[e] * load(rows + e * lanes);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Gather the row panel by panel into scratch.factor (I or D, plus w0·G, plus Zᵀ S Z) and scratch.rhs.
inline void build_primal(const Row& row, Scratch& s, bool scaled, double w0) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k), stride = kp * lanes;
    const int64_t rows = panel_entries(k);
    for (int64_t c = 0; c < kp; ++c) {
        s.rhs[c] = task.h != nullptr && c < k ? s.scale[c] * task.h[row.index * k + c] : 0.0f;
    }
    for (int64_t i = 0; i < kp * kp; ++i) s.factor[i] = 0.0f;
    for (int64_t first = 0; first < row.n; first += rows) {
        const int64_t n_entries = row.n - first < rows ? row.n - first : rows;
        // Entries of positive a from the front of the panel, of negative a behind them; a = 0 only joins the
        // right side.
        int64_t n_positive = 0, n_negative = 0;
        for (int64_t i = 0; i < n_entries; ++i) {
            const float a = s.weight[i] = row.a(first + i);
            n_positive += a > 0.0f;
            n_negative += a < 0.0f;
        }
        int64_t positive = 0, negative = n_positive;
        for (int64_t i = 0; i < n_entries; ++i) {
            const int64_t e = first + i;
            row.prefetch(e + prefetch_distance);
            const float a = s.weight[i], t = row.target(e, a), b = task.b_is_target ? a * t : t;
            if (a == 0.0f) {
                add_to_rhs(row.fixed(e), b, k, task.bias_column, s);
                continue;
            }
            const float root = __builtin_sqrtf(__builtin_fabsf(a));
            const int64_t place = a > 0.0f ? positive++ : negative++;
            s.rest[place] = b / root;
            pack(row.fixed(e), root, k, task.bias_column, s.scale, s.panel + place * lanes, rows * lanes);
        }
        for (int64_t c = 0; c < kp; c += lanes) {
            store(s.rhs + c,
                  load(s.rhs + c) + combine_rows(s.rest, s.panel + c * rows, n_positive + n_negative));
        }
        rank_update<false>(s.panel, rows, n_positive, k, s.factor);
        if (n_negative > 0) {
            rank_update<true>(s.panel + n_positive * lanes, rows, n_negative, k, s.factor);
        }
    }
    for (int64_t i = 0; i < kp; ++i) {
        *diagonal_element(s.factor, kp, i) += scaled || i >= k ? 1.0f : (float)s.d[i];
    }
    if (task.gram != nullptr && w0 != 0.0) {
        for (int64_t i = 0; i < k; ++i) {
            for (int64_t j = i / lanes * lanes; j < k; ++j) {
                s.factor[(j / lanes) * stride + i * lanes + j % lanes] +=
                    (float)(w0 * s.scale[i] * s.scale[j] * task.gram[i * k + j]);
            }
        }
    }
    for (int64_t i = 0; i < kp; ++i) s.diagonal[i] = *diagonal_element(s.factor, kp, i);
}

// What scratch.x leaves of the right side, times the scale, to scratch.residual; returns the objective there.
//
// From the rows themselves, not from the rounded system, and summed over the entries in float64: where terms
// are alike (a constant column, a bias), rounding errors of one sign would add up. With p = y·x an entry
// leaves b − a p and costs a p² − 2 b p, or a (t − p)² where b holds targets.
inline double find_residual(const Row& row, Scratch& s, double w0) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k);
    double loss = 0.0;
    for (int64_t c = 0; c < kp; ++c) {
        const double h = task.h != nullptr && c < k ? task.h[row.index * k + c] : 0.0;
        const double dx = c < k ? s.d[c] * s.x[c] : 0.0;
        s.total[c] = h - dx;
        loss += (dx - 2.0 * h) * s.x[c];
    }
    if (task.gram != nullptr && w0 != 0.0) {
        for (int64_t i = 0; i < k; ++i) {
            double gx = 0.0;
            for (int64_t j = 0; j < k; ++j) gx += (double)task.gram[i * k + j] * s.x[j];
            s.total[i] -= w0 * gx;
            loss += w0 * gx * s.x[i];
        }
    }
    for (int64_t first = 0; first < row.n; first += lanes) {
        const int64_t count = row.n - first < lanes ? row.n - first : lanes;
        const float* y[lanes];
        Vec dots[lanes];
        for (int r = 0; r < lanes; ++r) {
            y[r] = row.fixed(first + (r < count ? r : count - 1));
            row.prefetch(first + lanes + r);
            dots[r] = Vec{};
        }
        for (int64_t c = 0; c < kp; c += lanes) {
            const Vec x = load(s.x + c);
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) dots[r] += load_columns(y[r], c, k, task.bias_column) * x;
        }
        alignas(64) float left[lanes];
        store(left, sum_rows(dots));
        for (int r = 0; r < lanes; ++r) {
            const float p = left[r];
            left[r] = 0.0f;
            if (r >= count) continue;
            const float a = row.a(first + r), t = row.target(first + r, a);
            left[r] = task.b_is_target ? a * (t - p) : t - a * p;
            loss += task.b_is_target ? (double)a * (t - p) * (t - p) : ((double)a * p - 2.0 * t) * p;
        }
        for (int64_t c = 0; c < kp; c += lanes) {
            Vec even = {}, odd = {};
#pragma GCC unroll 16
            for (int r = 0; r < lanes; r += 2) {
                even += left[r] * load_columns(y[r], c, k, task.bias_column);
                odd += left[r + 1] * load_columns(y[r + 1], c, k, task.bias_column);
            }
            const Vec sum = even + odd;
            for (int j = 0; j < lanes; ++j) s.total[c + j] += sum[j];
        }
    }
    for (int64_t c = 0; c < kp; ++c) s.residual[c] = (float)(s.total[c] * s.scale[c]);
    return loss;
}

// Primal solve; leaves D^½ x (x itself where the row is not scaled) in scratch.scaled_x.
inline bool solve_primal(const Row& row, Scratch& s, bool scaled, double w0, double& loss) {
    const int64_t kp = padded(row.task.width), n_blocks = kp / lanes;
    build_primal(row, s, scaled, w0);
    const float tolerance = scaled ? scaled_tolerance : 4e-7f * (float)kp;
    if (!factorize(s.factor, n_blocks, s.diagonal, tolerance, s.inverses)) return false;
    for (int64_t c = 0; c < kp; ++c) s.scaled_x[c] = s.rhs[c];
    solve_factorized(s.factor, s.inverses, n_blocks, s.scaled_x);
    bool settled = false;
    for (int i = 0; i < most_refinements && !settled; ++i) {
        for (int64_t c = 0; c < kp; ++c) s.x[c] = s.scaled_x[c] * s.scale[c];
        loss = find_residual(row, s, w0);
        for (int64_t c = 0; c < kp; ++c) s.correction[c] = s.residual[c];
        solve_factorized(s.factor, s.inverses, n_blocks, s.correction);
        // A step d along the residual r lowers the objective by rᵀ d.
        loss -= dot_float64(s.residual, s.correction, kp);
        for (int64_t c = 0; c < kp; ++c) s.scaled_x[c] += s.correction[c];
        settled = is_small(s.correction, s.scaled_x, kp);
    }
    return settled;
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
