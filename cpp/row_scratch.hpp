// The memory of one worker of the row solver, and the few sums that both orientations share.
#pragma once

#include "cholesky.hpp"
#include "rows_task.hpp"

namespace alternant {
namespace ALTERNANT_LEVEL {

// Entries gathered at a time by the primal.
inline int64_t panel_entries(int64_t k) {
    return k <= 128 ? 128 : 64;
}
// Entries whose fixed rows are kept at hand for later passes: 1 MiB of them, about a level-2 cache.
inline int64_t kept_entries(int64_t k) {
    const int64_t rows = (int64_t)(1 << 18) / padded(k);
    return rows < lanes ? lanes : rows / lanes * lanes;
}
// A pivot below this share of its diagonal is rounding noise. Scaled systems have pivots of at least 1 in
// exact arithmetic; unscaled ones may be singular in truth, and are looked at more closely.
constexpr float scaled_tolerance = 1e-6f;
// Refinement goes on until a step is this small beside the solution (nearly always the first), or gives up.
constexpr float settled_step = 1e-4f;
constexpr int most_refinements = 5;

// Memory of one worker, carved from one allocation.
struct Scratch {
    float *scale, *weight, *rest, *rhs, *solution, *residual, *correction, *diagonal, *inverses;
    float *h_scaled, *scaled_x, *x;
    float *d32, *spread, *part, *roots, *shares, *columns;
    int32_t* places;
    double *d, *total;
    double *rho, *kappa, *omega;  // the task's, padded
    int64_t n_kept = 0;           // entries of the row at hand whose fixed rows stay in `panel`
    float *factor, *panel, *panel_transposed;
    double* float64;
    size_t bytes;

    Scratch(const RowsTask& task, int64_t longest_row, char* base) {
        const int64_t k = task.width, kp = padded(k);
        // Rows of the largest system and of the largest dual panel.
        const int64_t n_dual = padded(longest_row < k ? longest_row : k);
        const int64_t m = kp > n_dual ? kp : n_dual;
        const int64_t longest = padded(longest_row), room = kept_entries(k);
        const int64_t kept = longest <= room ? longest : room + lanes;
        const int64_t rows = n_dual > kept ? n_dual : kept;
        int64_t n_weights = n_dual > panel_entries(k) ? n_dual : panel_entries(k);
        if (task.iterative && n_weights < longest) n_weights = longest;
        size_t used = 0;
        const auto take = [&](int64_t n, size_t size) {
            char* p = base + used;
            used += ((size_t)n * size + 63) / 64 * 64;
            return p;
        };
        scale = (float*)take(kp, 4);
        h_scaled = (float*)take(kp, 4);
        scaled_x = (float*)take(kp, 4);
        x = (float*)take(kp, 4);
        weight = (float*)take(n_weights, 4);
        rest = (float*)take(n_dual > panel_entries(k) ? n_dual : panel_entries(k), 4);
        rhs = (float*)take(m, 4);
        solution = (float*)take(m, 4);
        residual = (float*)take(m, 4);
        correction = (float*)take(m, 4);
        diagonal = (float*)take(m, 4);
        inverses = (float*)take(m / lanes * inverse_block, 4);
        d32 = (float*)take(kp, 4);
        spread = (float*)take(kp, 4);
        rho = (double*)take(kp, 8);
        kappa = (double*)take(kp, 8);
        omega = (double*)take(kp, 8);
        d = (double*)take(kp, 8);
        total = (double*)take(kp, 8);
        factor = (float*)take(m * m, 4);
        panel = (float*)take(rows * kp, 4);
        part = (float*)take(kp, 4);
        roots = (float*)take(panel_entries(k), 4);
        shares = (float*)take(panel_entries(k), 4);
        places = (int32_t*)take(panel_entries(k), 4);
        columns = (float*)take(panel_entries(k) * kp, 4);
        panel_transposed = (float*)take(n_dual * kp, 4);
        float64 = (double*)take(k * k + 3 * k, 8);
        bytes = used;
    }

    // Entries of a row of n whose fixed rows are kept.
    void keep(const RowsTask& task, int64_t n) {
        const int64_t room = kept_entries(task.width);
        n_kept = padded(n) < room ? padded(n) : room;
    }

    // Copy the columns' numbers of the task; columns of padding get a D of 1.
    void pad_columns(const RowsTask& task) {
        for (int64_t c = 0; c < padded(task.width); ++c) {
            const bool used = c < task.width;
            rho[c] = used ? task.rho[c] : 0.0;
            kappa[c] = used ? task.kappa[c] : 1.0;
            omega[c] = used && task.omega != nullptr && task.gram == nullptr ? task.omega[c] : 0.0;
            spread[c] = used && task.spread != nullptr ? (float)task.spread[c] : 0.0f;
        }
    }
};

ALTERNANT_INLINE void clear(float* p, int64_t n) {
    for (int64_t i = 0; i < n; ++i) p[i] = 0.0f;
}

// n : a multiple of lanes.
ALTERNANT_INLINE double dot_float64(const float* x, const float* y, int64_t n) {
    double sums[lanes] = {};
    for (int64_t i = 0; i < n; i += lanes) {
        for (int64_t j = 0; j < lanes; ++j) sums[j] += (double)x[i + j] * (double)y[i + j];
    }
    for (int half = lanes / 2; half > 0; half /= 2) {
        for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
    }
    return sums[0];
}

// |step| ≤ settled_step · |x|, in float64: squares of float32 numbers may overflow or vanish.
ALTERNANT_INLINE bool is_small(const float* step, const float* x, int64_t n) {
    return dot_float64(step, step, n) <= (double)settled_step * settled_step * dot_float64(x, x, n);
}

// Element (i, i) of a symmetric matrix of `size` rows in panel layout.
ALTERNANT_INLINE float* diagonal_element(float* matrix, int64_t size, int64_t i) {
    return matrix + (i / lanes) * size * lanes + i * lanes + i % lanes;
}

}  // namespace ALTERNANT_LEVEL
}  // namespace alternant
