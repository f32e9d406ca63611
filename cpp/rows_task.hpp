// One half-sweep, or a part of one: the arguments of the row solver, as plain pointers.
#pragma once

#include <cstdint>

namespace alternant {

// What is one number per entry: array[e] where there is an array, else constant + slope · value[e].
struct EntryTerm {
    const float* array = nullptr;  // shape (n_entries,)
    double constant = 0.0;
    double slope = 0.0;
};

// Solve, for every row u of a block,
//
//     (w0_u · G + Σ_e a_e y_e y_eᵀ + λ_u · diag(ρ) + diag(κ)) x_u = Σ_e b_e y_e + h_u
//
// over the entries e of u, where y_e is the fixed side's row that the entry points at; or, where x ≥ 0 or an
// L1 penalty is asked for (row_descent.hpp), minimise  xᵀ (…) x − 2 xᵀ (Σ b y + h) + l1_u Σ |x_c|  instead.
// The bias column is under neither.
struct RowsTask {
    // The block's entries as CSR; offsets[0] need not be 0, the entry arrays start at it.
    const int64_t* offsets = nullptr;  // shape (n_rows + 1,)
    const int32_t* indices = nullptr;  // shape (n_entries,)
    const float* values = nullptr;     // shape (n_entries,), or null: ones
    int64_t n_rows = 0;
    int64_t n_entries = 0;
    EntryTerm a;
    EntryTerm b;
    bool b_is_target = false;  // b holds targets t: b_e = a_e · t_e, and losses count Σ a t² in

    // The fixed side in shards: row i is shards[i >> shard_shift] + (i & shard_mask) · width.
    const float* const* shards = nullptr;
    int shard_shift = 62;
    int64_t shard_mask = 0;
    int64_t n_fixed = 0;
    int64_t width = 0;
    // The fixed side's last column is its own bias: read as 1, and its value taken off the target.
    bool bias_column = false;

    const double* w0 = nullptr;     // shape (n_rows,), or null: 0
    const double* ridge = nullptr;  // λ, shape (n_rows,)
    const double* omega = nullptr;  // G = diag(omega), shape (width,), or null: 0
    const float* gram = nullptr;    // G in full, shape (width, width), or null: diag(omega)
    const double* rho = nullptr;    // shape (width,)
    const double* kappa = nullptr;  // shape (width,)
    const float* h = nullptr;       // shape (n_rows, width), or null: 0
    bool nonnegative = false;
    const double* l1 = nullptr;      // shape (n_rows,), or null: 0
    const float* start = nullptr;    // where descent and steps start, shape (n_rows, width), or null: 0
    bool iterative = false;          // rows may be solved by steps from there (row_cg.hpp)
    const double* spread = nullptr;  // diagonal of the fixed rows' second moment, shape (width,), or null: 0
    bool descends = false;           // nonnegative, or l1 given: no row goes by Cholesky

    float* out = nullptr;         // x, shape (n_rows, width)
    double* losses = nullptr;     // row u's part of the objective, its penalty included, shape (n_rows,)
    double* penalties = nullptr;  // Σ_c (λ_u ρ_c + κ_c) x_c² + l1_u Σ |x_c| alone, shape (n_rows,)
};

// Rows of fewer entries are never solved by steps: these would cost less than the dual does, but turning
// their start into the basis of the fixed side costs width² multiply-adds a row.
static inline int64_t least_iterative_entries(int64_t width) {
    return width <= 192 ? 1 : width / 16;
}

enum class RowFailure : int32_t { none = 0, singular = 1, not_finite = 2, bad_offsets = 3, bad_index = 4 };

struct RowResult {
    int64_t row = -1;
    RowFailure failure = RowFailure::none;
};

}  // namespace alternant
