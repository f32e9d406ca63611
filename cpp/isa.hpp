// The instruction-set levels and their kernels. cpp/isa_kernels.cpp is compiled once per level and fills one
// table each.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rows_task.hpp"

namespace alternant {

struct PairsTask;
struct TopKTask;

struct LevelKernels {
    const char* name;
    int lanes;  // float32 lanes of one vector

    // rows.hpp: solve the rows [first, last) of the block; stops at the first row that fails.
    size_t (*rows_scratch_bytes)(const RowsTask&, int64_t longest_row);
    RowResult (*solve_rows)(const RowsTask&, int64_t first, int64_t last, int64_t longest_row, void* scratch);
    // dense.hpp: gram += table[first:last]ᵀ table[first:last] (upper triangle, row-major, width × width);
    // out[first:last] = table[first:last] · matrix; out[first:last] = Σ_e values_e · table[indices_e].
    size_t (*gramian_scratch_bytes)(int64_t width);
    void (*add_gramian)(const float* table, int64_t first, int64_t last, int64_t width, double* gram,
                        void* scratch);
    void (*multiply)(const float* table, int64_t first, int64_t last, int64_t width, const float* matrix,
                     int64_t out_width, float* out);
    void (*multiply_sparse)(const int64_t* offsets, const int32_t* indices, const float* values, double shift,
                            const float* table, int64_t width, int64_t first, int64_t last, float* out);
    // topk.hpp: rank the queries [first, last).
    size_t (*topk_scratch_bytes)(const TopKTask&);
    void (*top_k)(const TopKTask&, int64_t first, int64_t last, void* scratch);
    // topk.hpp: score the pairs [first, last).
    size_t (*pairs_scratch_bytes)(const PairsTask&);
    void (*pair_scores)(const PairsTask&, int64_t first, int64_t last, void* scratch);
    // peaks.hpp: what the machine does at most.
    int n_chains;
    float (*multiply_add_chains)(int64_t rounds, float start);
    float (*gather_rows)(const float* table, int64_t width, const int32_t* indices, int64_t n);
};

// The table in use: the best level that this CPU runs, or the one that ALTERNANT_ISA named.
const LevelKernels& kernels();

}  // namespace alternant
