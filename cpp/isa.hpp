// The instruction-set levels and their kernels. cpp/isa_kernels.cpp is compiled once per level and fills one
// table each.
#pragma once

#include <cstddef>
#include <cstdint>

#include "prior_task.hpp"
#include "rows_task.hpp"

namespace alternant {

struct PackTask;
struct PairsTask;
struct Rotation;
struct TopKTask;
enum class Screen : int32_t;

struct LevelKernels {
    const char* name;
    int lanes;  // float32 lanes of one vector

    // rows.hpp: solve the rows [first, last) of the block; stops at the first row that fails.
    size_t (*rows_scratch_bytes)(const RowsTask&, int64_t longest_row);
    RowResult (*solve_rows)(const RowsTask&, int64_t first, int64_t last, int64_t longest_row, void* scratch);
    // dense.hpp: gram += table[first:last]ᵀ table[first:last] (upper triangle, row-major, width × width);
    // out[first:last] = table[first:last] · matrix; out[first:last] = Σ_e values_e · table[indices_e].
    size_t (*gramian_scratch_bytes)(int64_t width);
    void (*add_gramian)(const float* table, int64_t stride, const float* scale, int64_t first, int64_t last,
                        int64_t width, double* gram, void* scratch);
    size_t (*multiply_scratch_bytes)(int64_t width);
    void (*multiply)(const float* table, int64_t stride, int64_t first, int64_t last, int64_t width,
                     const float* matrix, int64_t out_width, float* out, void* scratch);
    void (*multiply_sparse)(const int64_t* offsets, const int32_t* indices, const float* values, double shift,
                            const float* table, int64_t width, int64_t first, int64_t last, float* out);
    // eigen_loops.hpp
    void (*eigen_combine_rows)(const double* block, int64_t stride, int64_t m, const double* v, double beta,
                               double* q);
    void (*eigen_subtract_outer)(double* block, int64_t stride, int64_t m, const double* v, const double* q);
    void (*eigen_reflect_rows)(const double* a, int64_t n, int64_t first, int64_t last, double* vectors);
    void (*eigen_rotate_columns)(const Rotation* rotations, int64_t count, int64_t n, int64_t first,
                                 int64_t last, double* vectors);
    // prior.hpp: rows, or features, [first, last) of a panel; false where an index is out of range.
    bool (*prior_weigh)(const WeighTask&, int64_t panel, int64_t first, int64_t last, double* sums);
    bool (*prior_step)(const StepTask&, int64_t panel, const float* lengths, int64_t first, int64_t last,
                       double* sums);
    void (*prior_turn)(const StepTask&, int64_t panel, const float* turns, int64_t first, int64_t last,
                       double* sums);
    void (*about_means)(const MeansTask&, int64_t first, int64_t last);
    // topk_screen.hpp: whether this machine has the screen; the norms of rows; panels of them.
    bool (*has_screen)(Screen);
    void (*row_norms)(const PackTask&, int64_t first, int64_t last, double* norms);
    size_t (*pack_scratch_bytes)(const PackTask&);
    void (*pack_panels)(const PackTask&, int64_t first, int64_t last, void* scratch);
    // topk.hpp: rank the queries [first, last), at most per_chunk of them; false: a bad excluded row.
    size_t (*topk_scratch_bytes)(const TopKTask&, int64_t per_chunk);
    bool (*top_k)(const TopKTask&, int64_t first, int64_t last, int64_t per_chunk, void* scratch);
    // topk_score.hpp: score the pairs [first, last).
    void (*pair_scores)(const PairsTask&, int64_t first, int64_t last);
    // peaks.hpp: what the machine does at most.
    int n_chains;
    float (*multiply_add_chains)(int64_t rounds, float start);
    float (*gather_rows)(const float* table, int64_t width, const int32_t* indices, int64_t n);
};

// The table in use: the best level that this CPU runs, or the one that ALTERNANT_ISA named.
const LevelKernels& kernels();

}  // namespace alternant
