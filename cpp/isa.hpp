// The instruction-set levels and their kernels. cpp/isa_kernels.cpp is compiled once per level and fills one
// table each.
#pragma once

#include <cstddef>
#include <cstdint>

namespace alternant {

struct RowsTask;
struct DenseTask;
struct TopKTask;
struct PairsTask;

struct LevelKernels {
    const char* name;
    int lanes;  // float32 lanes of one vector

    // rows.hpp: solve rows [first, last) of the block; writes factors and losses. Returns the first failing
    // row or -1.
    size_t (*rows_scratch_bytes)(const RowsTask&);
    int64_t (*solve_rows)(const RowsTask&, int64_t first, int64_t last, void* scratch);
    // topk.hpp: rank the queries [first, last).
    size_t (*topk_scratch_bytes)(const TopKTask&);
    void (*top_k)(const TopKTask&, int64_t first, int64_t last, void* scratch);
    // topk.hpp: score the pairs [first, last).
    size_t (*pairs_scratch_bytes)(const PairsTask&);
    void (*pair_scores)(const PairsTask&, int64_t first, int64_t last, void* scratch);
};

// The table in use: the best level that this CPU runs, or the one that ALTERNANT_ISA named.
const LevelKernels& kernels();

}  // namespace alternant
