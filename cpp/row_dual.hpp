// The dual orientation of rows.hpp: (I_n + Z Zᵀ) t = g, for rows shorter than the factors are many.
#pragma once

#include "row_entries.hpp"
#include "row_scratch.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// Gather the row for the dual: Z in rows (scratch.panel) and transposed, g in scratch.rhs, and in
// scratch.rest the part Z D^−½ h that g has lost.
inline void gather_dual(const Row& row, Scratch& s, const float* h_scaled) {
    const RowsTask& task = row.task;
    const int64_t k = task.width, kp = padded(k), np = padded(row.n);
    for (int64_t e = 0; e < row.n; ++e) {
        const float a = row.a(e);
        const float root = __builtin_sqrtf(a);
        const float t = row.target(e, a);
        s.weight[e] = root;
        s.rhs[e] = task.b_is_target ? root * t : t / root;
    }
    for (int64_t e = row.n; e < np; ++e) s.weight[e] = s.rhs[e] = 0.0f;
    clear(s.rest, np);
    for (int64_t first = 0; first < np; first += lanes) {
        Vec dots[lanes];
        for (int r = 0; r < lanes; ++r) dots[r] = Vec{};
        for (int64_t c = 0; c < kp; c += lanes) {
            const Vec scale = load(s.scale + c);
            Vec rows[lanes];
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) {
                // Rows of padding repeat the last one with weight 0, so that no branch is needed.
                const int64_t e = first + r < row.n ? first + r : row.n - 1;
                rows[r] = load_columns(row.fixed(e), c, k, task.bias_column) * scale * s.weight[first + r];
                store(s.panel + (first + r) * kp + c, rows[r]);
                if (h_scaled != nullptr) dots[r] += rows[r] * load(h_scaled + c);
            }
            transpose(rows);
#pragma GCC unroll 16
            for (int r = 0; r < lanes; ++r) store(s.panel_transposed + first * kp + (c + r) * lanes, rows[r]);
        }
        if (h_scaled != nullptr) {
            store(s.rest + first, sum_rows(dots));
            store(s.rhs + first, load(s.rhs + first) - load(s.rest + first));
        }
    }
}

// out (padded(n) floats) = Z x for the dual's transposed panel.
ALTERNANT_INLINE void multiply_panel(const float* transposed, int64_t n_padded, int64_t kp, const float* x,
                                     float* out) {
    for (int64_t first = 0; first < n_padded; first += lanes) {
        const float* block = transposed + first * kp;
        Vec sums[4] = {};
        for (int64_t c = 0; c < kp; c += 4) {
#pragma GCC unroll 4
            for (int64_t i = 0; i < 4; ++i) sums[i] += x[c + i] * load(block + (c + i) * lanes);
        }
        store(out + first, (sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
}

// x (kp floats) += Zᵀ t for the dual's panel.
ALTERNANT_INLINE void add_combined_rows(const float* panel, int64_t n_padded, int64_t kp, const float* t,
                                        float* x) {
    for (int64_t first = 0; first < n_padded; first += lanes) {
        for (int64_t c = 0; c < kp; c += lanes) {
            store(x + c, load(x + c) + combine(t + first, panel + first * kp + c, kp));
        }
    }
}

// What an entry adds to the objective: v² = (g − p)², less the constant g² unless targets are given. Taken
// together, since g² = b²/a may be far larger than what is left.
ALTERNANT_INLINE double entry_loss(double g, double p, bool b_is_target) {
    return b_is_target ? (g - p) * (g - p) : p * (p - 2.0 * g);
}

// Dual solve; leaves D^½ x in scratch.scaled_x.
//
// The refinement takes its residual from the rows, not from the rounded I + ZZᵀ: with x̂ = Zᵀt and v = g − Z
// x̂, ρ = v − t, (I + ZZᵀ) δ = ρ, t += δ, x̂ += Zᵀδ; the objective |v|² + |x̂|² falls by ρᵀ(ρ − δ).
inline bool solve_dual(const Row& row, Scratch& s, const float* h_scaled, double& loss) {
    const int64_t k = row.task.width, kp = padded(k), np = padded(row.n), n_blocks = np / lanes;
    gather_dual(row, s, h_scaled);
    for (int64_t i = 0; i < np * np; ++i) s.factor[i] = 0.0f;
    for (int64_t i = 0; i < np; ++i) *diagonal_element(s.factor, np, i) = 1.0f;
    rank_update<false>(s.panel_transposed, kp, k, row.n, s.factor);
    for (int64_t i = 0; i < np; ++i) s.diagonal[i] = *diagonal_element(s.factor, np, i);
    if (!factorize(s.factor, n_blocks, s.diagonal, scaled_tolerance, s.inverses)) return false;

    float *t = s.solution, *rest = s.residual, *step = s.correction;
    for (int64_t i = 0; i < np; ++i) t[i] = s.rhs[i];
    solve_factorized(s.factor, s.inverses, n_blocks, t);
    clear(s.scaled_x, kp);
    add_combined_rows(s.panel, np, kp, t, s.scaled_x);
    bool settled = false;
    for (int i = 0; i < most_refinements && !settled; ++i) {
        multiply_panel(s.panel_transposed, np, kp, s.scaled_x, rest);
        loss = dot_float64(s.scaled_x, s.scaled_x, kp);
        for (int64_t e = 0; e < np; ++e) {
            loss +=
                entry_loss((double)s.rhs[e] + s.rest[e], (double)rest[e] + s.rest[e], row.task.b_is_target);
            step[e] = rest[e] = (s.rhs[e] - rest[e]) - t[e];
        }
        solve_factorized(s.factor, s.inverses, n_blocks, step);
        for (int64_t e = 0; e < np; ++e) {
            loss -= (double)rest[e] * ((double)rest[e] - step[e]);
            t[e] += step[e];
        }
        add_combined_rows(s.panel, np, kp, step, s.scaled_x);
        settled = is_small(step, t, np);
    }
    if (!settled) return false;

    if (h_scaled != nullptr) {
        loss -= dot_float64(h_scaled, h_scaled, kp);
        for (int64_t c = 0; c < kp; ++c) s.scaled_x[c] += h_scaled[c];
    }
    return true;
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
