// The primal orientation of rows.hpp: (I_k + Zᵀ S Z) s = D^−½ (Σ b y + h), for all other rows.
#pragma once

#include "row_groups.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

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

// One gathered row y into a panel of columns: root · y · scale, a vector to each column block.
ALTERNANT_INLINE void pack(const float* y, float root, int64_t kp, const float* scale, float* columns,
                           int64_t stride) {
    for (int64_t c = 0; c < kp; c += lanes) {
        store(columns + c / lanes * stride, root * load(y + c) * load(scale + c));
    }
}

// The right side of an entry with a = 0: rhs += b · y · scale.
ALTERNANT_INLINE void add_to_rhs(const float* y, float b, int64_t kp, Scratch& s) {
    for (int64_t c = 0; c < kp; c += lanes) {
        store(s.rhs + c, load(s.rhs + c) + b * load(y + c) * load(s.scale + c));
    }
}

// The places in the panel of `count` entries with a in s.weight: those of positive a from the front, of
// negative a behind them; −1 where a is 0.
inline void place_by_sign(int64_t count, const float* a, int32_t* places, int64_t& n_positive,
                          int64_t& n_negative) {
    n_positive = n_negative = 0;
    for (int64_t i = 0; i < count; ++i) {
        n_positive += a[i] > 0.0f;
        n_negative += a[i] < 0.0f;
    }
    int32_t positive = 0, negative = (int32_t)n_positive;
    for (int64_t i = 0; i < count; ++i) places[i] = a[i] > 0.0f ? positive++ : a[i] < 0.0f ? negative++ : -1;
}

// Gather the row, `panel_entries` at a time, into scratch.factor (I or D, plus w0·G, plus Zᵀ S Z) and
// scratch.rhs.
inline void build_primal(const Row& row, Scratch& s, bool scaled, double w0) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k), stride = kp * lanes;
    const int64_t rows = panel_entries(k);
    for (int64_t c = 0; c < kp; ++c) {
        s.rhs[c] = task.h != nullptr && c < k ? s.scale[c] * task.h[row.index * k + c] : 0.0f;
    }
    for (int64_t i = 0; i < kp * kp; ++i) s.factor[i] = 0.0f;
    float *a = s.weight, *b = s.rest;
    for (int64_t begin = 0; begin < row.n; begin += rows) {
        const int64_t count = row.n - begin < rows ? row.n - begin : rows;
        for (int64_t i = 0; i < count; i += lanes) {
            const int64_t left = count - i < lanes ? count - i : lanes;
            store(a + i, term_of(row, task.a, begin + i, left));
            store(b + i, target_of(row, begin + i, left, load(a + i)));
        }
        int64_t n_positive, n_negative;
        place_by_sign(count, a, s.places, n_positive, n_negative);
        for (int64_t i = 0; i < count; ++i) {
            const float root = __builtin_sqrtf(__builtin_fabsf(a[i]));
            b[i] = task.b_is_target ? a[i] * b[i] : b[i];
            s.roots[i] = root;
        }
        for (int64_t first = 0; first < count; first += lanes) {
            const float* y = rows_of_group(row, s, begin + first, true);
            for (int64_t r = 0; r < lanes; ++r) row.prefetch(begin + first + prefetch_distance + r);
            const int64_t end = count - first < lanes ? count - first : lanes;
            for (int64_t r = 0; r < end; ++r) {
                const int32_t place = s.places[first + r];
                if (place < 0) {
                    add_to_rhs(y + r * kp, b[first + r], kp, s);
                } else {
                    const float root = s.roots[first + r];
                    pack(y + r * kp, root, kp, s.scale, s.columns + place * lanes, rows * lanes);
                    s.shares[place] = b[first + r] / root;
                }
            }
        }
        for (int64_t c = 0; c < kp; c += lanes) {
            store(s.rhs + c,
                  load(s.rhs + c) + combine_rows(s.shares, s.columns + c * rows, n_positive + n_negative));
        }
        rank_update<false>(s.columns, rows, n_positive, k, s.factor);
        if (n_negative > 0) {
            rank_update<true>(s.columns + n_positive * lanes, rows, n_negative, k, s.factor);
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
    alignas(64) float left[lanes];
    const auto flush = [&] {
        for (int64_t c = 0; c < kp; c += lanes) {
            store_wide(s.total + c, load_wide(s.total + c) + widen(load(s.part + c)));
            store(s.part + c, Vec{});
        }
    };
    for (int64_t c = 0; c < kp; c += lanes) store(s.part + c, Vec{});
    for (int64_t first = 0; first < row.n; first += lanes) {
        const int64_t count = row.n - first < lanes ? row.n - first : lanes;
        const float* rows = rows_of_group(row, s, first, false);
        const Vec a = term_of(row, task.a, first, count), t = target_of(row, first, count, a);
        const Vec p = group_dots(rows, kp, s.x);
        store(left, task.b_is_target ? a * (t - p) : t - a * p);
        loss += sum(task.b_is_target ? a * (t - p) * (t - p) : (a * p - 2.0f * t) * p);
        add_group(rows, kp, left, s.part, [&](int r) { prefetch_unkept(row, s, first + r); });
        if (first / lanes % 4 == 3) flush();
    }
    flush();
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
