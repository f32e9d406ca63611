// What the kernels of prior means read and write (prior.hpp). Plain arrays: which model they belong to is
// Python's business.
//
// Coefficients and what is multiplied with them lie in panels: shape (n_panels, n, panel_columns), columns
// beyond the table's last are 0. A row of a panel is one line of the cache, and one panel of a table fits
// where the whole table would not.
#pragma once

#include <cstdint>

namespace alternant {

constexpr int64_t panel_columns = 16;

// The penalty D_u of each row, column by column: slope_u · ρ_c + active_u · κ_c.
struct RowRidges {
    const double* slopes = nullptr;  // shape (n_rows,), 0 for rows that do not count
    const double* active = nullptr;  // shape (n_rows,), 1, or 0 for rows that do not count
    const double* rho = nullptr;     // shape (width,)
    const double* kappa = nullptr;   // shape (width,)
};

// Sparse rows: row r holds entries [offsets[r] − offsets[0], offsets[r + 1] − offsets[0]).
struct SparseRows {
    const int64_t* offsets = nullptr;  // shape (n + 1,)
    const int32_t* indices = nullptr;
    const float* values = nullptr;  // or null: 1
    int64_t n_columns = 0;
};

// Φ of one part: entries of `rows`, times `scale` of the row.
struct PriorPart {
    SparseRows rows;
    const float* scale = nullptr;   // shape (n_rows,), or null: 1
    const float* panels = nullptr;  // a direction p, shape (n_panels, n_features, panel_columns)
    float* out = nullptr;           // φ_u D_u · (what is weighed), shape (n_panels, n_rows, panel_columns)
    int64_t n_panels = 0;
};

// One side's rows, weighed for the gradient of the parts' coefficients.
struct WeighTask {
    const PriorPart* parts = nullptr;
    int64_t n_parts = 0;
    int64_t n_rows = 0;
    int64_t width = 0;
    RowRidges ridges;
    const float* table = nullptr;  // x and
    const float* means = nullptr;  // m, shape (n_rows, width): what is weighed is m − x; null: Φ p
};

// One part's coefficients W, their residual r and direction p: panels of shape (n_panels, n_features, ·).
struct StepTask {
    SparseRows columns;              // of Φ, scales left out
    const float* weighed = nullptr;  // panels of what WeighTask wrote, shape (n_panels, n_rows, ·)
    int64_t n_features = 0;
    int64_t width = 0;   // columns that have coefficients
    RowRidges diagonal;  // of Φᵀ D Φ, feature by feature
    double ridge = 0.0;  // τ
    float* coefficients = nullptr;
    float* residual = nullptr;
    float* direction = nullptr;
};

// Rows with prior means, shape (n_rows, width).
struct MeansTask {
    int64_t n_rows = 0;
    int64_t width = 0;
    RowRidges ridges;
    const float* table = nullptr;  // x, or null where h is asked for
    const float* means = nullptr;  // m
    float* h = nullptr;            // D m; or null
    double* losses = nullptr;      // += mᵀDm + 2 (h − Dm)ᵀx, shape (n_rows,); or null
    double* penalties = nullptr;   // (x − m)ᵀ D (x − m), shape (n_rows,); or null
};

}  // namespace alternant
