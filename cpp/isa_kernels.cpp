// Compiled once per instruction-set level. Included headers put everything into a namespace of the level's
// name, and use no templates of the standard library: a copy of one compiled for a higher level could be the
// one that the linker keeps for all.
#include "dense.hpp"
#include "eigen_loops.hpp"
#include "isa.hpp"
#include "peaks.hpp"
#include "prior.hpp"
#include "rows.hpp"
#include "topk.hpp"
#include "vec.hpp"

namespace alternant {

extern const LevelKernels ALTERNANT_JOIN(level_, ALTERNANT_LEVEL);
const LevelKernels ALTERNANT_JOIN(level_, ALTERNANT_LEVEL) = {
    ALTERNANT_STRING(ALTERNANT_LEVEL),
    ALTERNANT_LANES,
    &ALTERNANT_LEVEL::rows_scratch_bytes,
    &ALTERNANT_LEVEL::solve_rows,
    &ALTERNANT_LEVEL::gramian_scratch_bytes,
    &ALTERNANT_LEVEL::add_gramian,
    &ALTERNANT_LEVEL::multiply_scratch_bytes,
    &ALTERNANT_LEVEL::multiply,
    &ALTERNANT_LEVEL::multiply_sparse,
    &ALTERNANT_LEVEL::eigen::combine_rows,
    &ALTERNANT_LEVEL::eigen::subtract_outer,
    &ALTERNANT_LEVEL::eigen::reflect_rows,
    &ALTERNANT_LEVEL::eigen::rotate_columns,
    &ALTERNANT_LEVEL::prior::weigh,
    &ALTERNANT_LEVEL::prior::step,
    &ALTERNANT_LEVEL::prior::turn,
    &ALTERNANT_LEVEL::prior::about_means,
    &ALTERNANT_LEVEL::topk::has_screen,
    &ALTERNANT_LEVEL::topk::row_norms,
    &ALTERNANT_LEVEL::topk::pack_scratch_bytes,
    &ALTERNANT_LEVEL::topk::pack_panels,
    &ALTERNANT_LEVEL::topk::scratch_bytes,
    &ALTERNANT_LEVEL::topk::top_k,
    &ALTERNANT_LEVEL::topk::pair_scores,
    ALTERNANT_LEVEL::n_chains,
    &ALTERNANT_LEVEL::multiply_add_chains,
    &ALTERNANT_LEVEL::gather_rows,
};

}  // namespace alternant
