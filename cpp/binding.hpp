// What every binding file shares: array types as one vocabulary of shapes and dtypes, and the thread options
// of a call.
//
// Every array argument is bound with .noconvert(): the Python side converts and explains, this side refuses.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <optional>

#include "threads.hpp"

namespace nb = nanobind;

namespace alternant {

template <class T>
using In1 = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using In2 = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Out1 = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Out2 = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using StopFlag = nb::ndarray<int32_t, nb::shape<1>, nb::c_contig, nb::device::cpu>;

// Refuse with `message` (ValueError in Python) unless `condition` holds.
void require(bool condition, const char* message);

// The first row r whose entries offsets[r] − offsets[0] … offsets[r + 1] − offsets[0] fall or reach beyond
// n_entries, or -1. Offsets may be any numbers: a file may lie.
inline int64_t first_bad_row(const int64_t* offsets, int64_t n_rows, int64_t n_entries) {
    for (int64_t r = 0; r < n_rows; ++r) {
        // Unsigned, since the difference of two damaged numbers may overflow.
        const uint64_t end = (uint64_t)offsets[r + 1] - (uint64_t)offsets[0];
        if (offsets[r + 1] < offsets[r] || end > (uint64_t)n_entries) return r;
    }
    return -1;
}

// The thread options of one call. Construct with the GIL held; run kernels inside `nb::gil_scoped_release`;
// call `finish` with the GIL held again: it raises what stopped the run (a pending signal's exception, or
// MemoryError) and returns true when the stop flag ended it.
class Call {
  public:
    Call(int n_threads, const std::optional<StopFlag>& stop);
    const RunOptions& options() const { return options_; }
    bool finish(RunStatus status);

  private:
    static bool poll(void* self);
    RunOptions options_;
    bool signalled_ = false;
};

void bind_isa(nb::module_& m);
void bind_rows(nb::module_& m);
void bind_dense(nb::module_& m);
void bind_biases(nb::module_& m);
void bind_prior(nb::module_& m);
void bind_topk(nb::module_& m);
void bind_ids(nb::module_& m);
void bind_numbering(nb::module_& m);
void bind_csr(nb::module_& m);
void bind_random(nb::module_& m);
void bind_inverses(nb::module_& m);
void bind_peaks(nb::module_& m);

}  // namespace alternant
