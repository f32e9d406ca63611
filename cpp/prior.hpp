// Prior means m = Σ_parts Φ W and their coefficients, by conjugate gradients on
//
//     Σ_u (x_u − Φ_u W)ᵀ D_u (x_u − Φ_u W)  +  Σ_parts τ ‖W‖²
//
// A step is two passes over the entries, panel by panel: `weigh` (φ D Φ p, by row) and `step` (its sums, by
// feature, and all that follows from them). Each works on rows [first, last) of a panel and adds what it sums
// over rows to float64 sums of the panel's columns.
#pragma once

#include "prior_task.hpp"
#include "vec.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {
namespace prior {

constexpr int vecs = panel_columns / lanes;  // vectors in the row of a panel
constexpr int runs =
    vecs >= 4 ? 1 : 4 / vecs;  // sums that run side by side, to hide the latency of additions

struct Line {
    Vec v[vecs];
};

ALTERNANT_INLINE Line load_line(const float* p) {
    Line line;
    for (int i = 0; i < vecs; ++i) line.v[i] = load(p + i * lanes);
    return line;
}
ALTERNANT_INLINE void store_line(float* p, const Line& line) {
    for (int i = 0; i < vecs; ++i) store(p + i * lanes, line.v[i]);
}

// D of one row, or of one feature, over the columns of a panel.
ALTERNANT_INLINE Line ridge_line(const RowRidges& ridges, int64_t row, const float* rho, const float* kappa) {
    const float slope = (float)ridges.slopes[row], active = (float)ridges.active[row];
    Line line;
    for (int i = 0; i < vecs; ++i)
        line.v[i] = slope * load(rho + i * lanes) + active * load(kappa + i * lanes);
    return line;
}

struct Columns {
    alignas(64) float rho[panel_columns], kappa[panel_columns];
    alignas(64) float inside[panel_columns];  // 1, or 0 beyond the width
};
inline Columns columns_of(const RowRidges& ridges, int64_t panel, int64_t width) {
    Columns columns;
    for (int64_t i = 0; i < panel_columns; ++i) {
        const int64_t c = panel * panel_columns + i;
        columns.rho[i] = c < width ? (float)ridges.rho[c] : 0.0f;
        columns.kappa[i] = c < width ? (float)ridges.kappa[c] : 0.0f;
        columns.inside[i] = c < width ? 1.0f : 0.0f;
    }
    return columns;
}

ALTERNANT_INLINE void add_products(const Line& a, const Line& b, double* sums) {
    alignas(64) float products[panel_columns];
    for (int i = 0; i < vecs; ++i) store(products + i * lanes, a.v[i] * b.v[i]);
    for (int i = 0; i < panel_columns; ++i) sums[i] += (double)products[i];
}

inline bool indices_fit(const SparseRows& rows, int64_t begin, int64_t end) {
    uint32_t highest = 0;  // negative numbers are the highest of all
    for (int64_t e = begin; e < end; ++e) {
        const uint32_t index = (uint32_t)rows.indices[e];
        highest = index > highest ? index : highest;
    }
    return begin == end || (int64_t)highest < rows.n_columns;
}

// Σ_e values_e · panel[indices_e] over entries [begin, end). Entry e goes to sum e mod `runs`.
template <bool has_values>
ALTERNANT_INLINE Line gather(const SparseRows& rows, int64_t begin, int64_t end, const float* panel) {
    Vec sums[runs][vecs] = {};
    int64_t e = begin;
    for (; e + runs <= end; e += runs) {
#pragma GCC unroll 4
        for (int run = 0; run < runs; ++run) {
            const float* line = panel + (int64_t)rows.indices[e + run] * panel_columns;
#pragma GCC unroll 4
            for (int i = 0; i < vecs; ++i) {
                if constexpr (has_values) {
                    sums[run][i] += rows.values[e + run] * load(line + i * lanes);
                } else {
                    sums[run][i] += load(line + i * lanes);
                }
            }
        }
    }
    for (; e < end; ++e) {
        const float* line = panel + (int64_t)rows.indices[e] * panel_columns;
        for (int i = 0; i < vecs; ++i) {
            sums[0][i] += (has_values ? rows.values[e] : 1.0f) * load(line + i * lanes);
        }
    }
    Line total;
#pragma GCC unroll 4
    for (int i = 0; i < vecs; ++i) {
        if constexpr (runs == 4) {
            total.v[i] = (sums[0][i] + sums[1][i]) + (sums[2][i] + sums[3][i]);
        } else if constexpr (runs == 2) {
            total.v[i] = sums[0][i] + sums[1][i];
        } else {
            total.v[i] = sums[0][i];
        }
    }
    return total;
}

ALTERNANT_INLINE Line gather_row(const SparseRows& rows, int64_t row, const float* panel) {
    const int64_t begin = rows.offsets[row] - rows.offsets[0], end = rows.offsets[row + 1] - rows.offsets[0];
    return rows.values != nullptr ? gather<true>(rows, begin, end, panel)
                                  : gather<false>(rows, begin, end, panel);
}

// out of each part = φ_u D_u y_u with y = m − x, or Φ p; sums += yᵀ D y. Returns false where an index is out
// of range.
inline bool weigh(const WeighTask& task, int64_t panel, int64_t first, int64_t last, double* sums) {
    const Columns columns = columns_of(task.ridges, panel, task.width);
    const int64_t c = panel * panel_columns;
    const int64_t count = task.width - c < panel_columns ? task.width - c : panel_columns;
    if (task.means == nullptr) {
        for (int64_t p = 0; p < task.n_parts; ++p) {
            const SparseRows& rows = task.parts[p].rows;
            if (!indices_fit(rows, rows.offsets[first] - rows.offsets[0],
                             rows.offsets[last] - rows.offsets[0]))
                return false;
        }
    }
    for (int64_t r = first; r < last; ++r) {
        Line y = {};
        if (task.means != nullptr) {
            alignas(64) float left[panel_columns] = {};
            const float* x = task.table + r * task.width + c;
            const float* m = task.means + r * task.width + c;
            for (int64_t i = 0; i < count; ++i) left[i] = m[i] - x[i];
            y = load_line(left);
        } else {
            for (int64_t p = 0; p < task.n_parts; ++p) {
                const PriorPart& part = task.parts[p];
                if (panel >= part.n_panels) continue;
                const float* table = part.panels + panel * part.rows.n_columns * panel_columns;
                const Line total = gather_row(part.rows, r, table);
                const float scale = part.scale != nullptr ? part.scale[r] : 1.0f;
                for (int i = 0; i < vecs; ++i) y.v[i] += scale * total.v[i];
            }
        }
        Line weighed = ridge_line(task.ridges, r, columns.rho, columns.kappa);
        for (int i = 0; i < vecs; ++i) weighed.v[i] *= y.v[i];
        add_products(weighed, y, sums);
        for (int64_t p = 0; p < task.n_parts; ++p) {
            const PriorPart& part = task.parts[p];
            if (panel >= part.n_panels) continue;
            const float scale = part.scale != nullptr ? part.scale[r] : 1.0f;
            Line out;
            for (int i = 0; i < vecs; ++i) out.v[i] = scale * weighed.v[i];
            store_line(part.out + (panel * task.n_rows + r) * panel_columns, out);
        }
    }
    return true;
}

// 1 / (diagonal of Φᵀ D Φ + τ) of one feature, 0 where that is 0.
ALTERNANT_INLINE Line inverse_line(const StepTask& task, int64_t feature, const Columns& columns) {
    Line line = ridge_line(task.diagonal, feature, columns.rho, columns.kappa);
    for (int i = 0; i < vecs; ++i) {
        const Vec total = line.v[i] + (float)task.ridge;
        const VecIndex positive = total > Vec{};
        line.v[i] = (Vec)((VecIndex)(1.0f / total) & positive);
    }
    return line;
}

// W += α p;  r −= α (Σ weighed + τ p);  sums += rᵀ P r, P the inverse of the diagonal; α : shape
// (panel_columns,). Columns from `width` on are left alone. Returns false where an index is out of range.
inline bool step(const StepTask& task, int64_t panel, const float* lengths, int64_t first, int64_t last,
                 double* sums) {
    const SparseRows& rows = task.columns;
    const Columns columns = columns_of(task.diagonal, panel, task.width);
    const float* weighed = task.weighed + panel * rows.n_columns * panel_columns;
    if (!indices_fit(rows, rows.offsets[first] - rows.offsets[0], rows.offsets[last] - rows.offsets[0]))
        return false;
    const Line length = load_line(lengths), inside = load_line(columns.inside);
    for (int64_t f = first; f < last; ++f) {
        const int64_t at = (panel * task.n_features + f) * panel_columns;
        const Line p = load_line(task.direction + at), total = gather_row(rows, f, weighed);
        Line w = load_line(task.coefficients + at), r = load_line(task.residual + at);
        Line scaled = inverse_line(task, f, columns);
        for (int i = 0; i < vecs; ++i) {
            w.v[i] += length.v[i] * p.v[i];
            r.v[i] -= length.v[i] * (inside.v[i] * total.v[i] + (float)task.ridge * p.v[i]);
            scaled.v[i] *= r.v[i];
        }
        store_line(task.coefficients + at, w);
        store_line(task.residual + at, r);
        add_products(scaled, r, sums);
    }
    return true;
}

// p = P r + β p;  sums[0] += pᵀ r, sums[1] += τ pᵀ p, by column; sums : shape (2, panel_columns).
inline void turn(const StepTask& task, int64_t panel, const float* turns, int64_t first, int64_t last,
                 double* sums) {
    const Columns columns = columns_of(task.diagonal, panel, task.width);
    const Line beta = load_line(turns);
    double squares[panel_columns] = {};
    for (int64_t f = first; f < last; ++f) {
        const int64_t at = (panel * task.n_features + f) * panel_columns;
        const Line r = load_line(task.residual + at);
        Line p = load_line(task.direction + at);
        const Line inverse = inverse_line(task, f, columns);
        for (int i = 0; i < vecs; ++i) p.v[i] = inverse.v[i] * r.v[i] + beta.v[i] * p.v[i];
        store_line(task.direction + at, p);
        add_products(p, r, sums);
        add_products(p, p, squares);
    }
    for (int i = 0; i < panel_columns; ++i) sums[panel_columns + i] += task.ridge * squares[i];
}

// h, or the losses and penalties of x, for rows [first, last).
inline void about_means(const MeansTask& task, int64_t first, int64_t last) {
    constexpr int64_t n_sums = 8;  // numbers of sums that run side by side, whatever the level
    const RowRidges& ridges = task.ridges;
    for (int64_t r = first; r < last; ++r) {
        const double slope = ridges.slopes[r], active = ridges.active[r];
        const float* m = task.means + r * task.width;
        if (task.h != nullptr) {
            float* h = task.h + r * task.width;
            for (int64_t c = 0; c < task.width; ++c) {
                h[c] = (float)((slope * ridges.rho[c] + active * ridges.kappa[c]) * (double)m[c]);
            }
            continue;
        }
        const float* x = task.table + r * task.width;
        double losses[n_sums] = {}, penalties[n_sums] = {};
        for (int64_t c = 0; c < task.width; c += n_sums) {
            const int64_t count = task.width - c < n_sums ? task.width - c : n_sums;
            for (int64_t i = 0; i < count; ++i) {
                const double d = slope * ridges.rho[c + i] + active * ridges.kappa[c + i];
                const double mean = m[c + i], found = x[c + i], weighed = d * mean;
                const double left = found - mean;
                losses[i] += weighed * mean + 2.0 * ((double)(float)weighed - weighed) * found;
                penalties[i] += d * left * left;
            }
        }
        for (int64_t half = n_sums / 2; half > 0; half /= 2) {
            for (int64_t i = 0; i < half; ++i) {
                losses[i] += losses[i + half];
                penalties[i] += penalties[i + half];
            }
        }
        if (task.losses != nullptr) task.losses[r] += losses[0];
        if (task.penalties != nullptr) task.penalties[r] = penalties[0];
    }
}

}  // namespace prior
}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
