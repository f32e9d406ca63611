// The peaks of peaks.hpp on all threads. Timed by the caller.
#include <algorithm>
#include <atomic>
#include <vector>

#include "binding.hpp"
#include "isa.hpp"

namespace alternant {
namespace {

constexpr int64_t gather_chunk = 1 << 15;

// Run n_threads times `rounds` rounds; returns the floating-point operations of all.
double multiply_add_chains(int64_t rounds, int n_threads) {
    require(rounds >= 0, "rounds must be at least 0");
    struct Run {
        const LevelKernels& level;
        int64_t rounds;
        std::vector<float> results;
    } run{kernels(), rounds, std::vector<float>((size_t)std::max(n_threads, 1))};
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_chunks(
            n_threads, call.options(), 0,
            [](void* self, int64_t chunk, void*) {
                auto& r = *static_cast<Run*>(self);
                r.results[(size_t)chunk] = r.level.multiply_add_chains(r.rounds, 0.0f);
                return true;
            },
            &run);
    }
    call.finish(status);
    return 2.0 * (double)run.level.n_chains * (double)run.level.lanes * (double)rounds * (double)n_threads;
}

double gather_rows(In2<float> table, In1<int32_t> indices, int n_threads) {
    const int64_t n = (int64_t)indices.shape(0), n_rows = (int64_t)table.shape(0);
    const int64_t n_chunks = (n + gather_chunk - 1) / gather_chunk;
    struct Run {
        const LevelKernels& level;
        const float* table;
        int64_t width;
        const int32_t* indices;
        int64_t n, n_rows;
        std::vector<float> sums;
        std::atomic<bool> outside;
    } run{kernels(), table.data(), (int64_t)table.shape(1), indices.data(), n, n_rows, {}, {false}};
    run.sums.resize((size_t)n_chunks);
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_chunks(
            n_chunks, call.options(), 0,
            [](void* self, int64_t chunk, void*) {
                auto& r = *static_cast<Run*>(self);
                const int32_t* first = r.indices + chunk * gather_chunk;
                const int64_t count = std::min(gather_chunk, r.n - chunk * gather_chunk);
                // Here, where the check is shared by all threads, since the call is timed.
                bool inside = true;
                for (int64_t e = 0; e < count; ++e) {
                    inside &= first[e] >= 0 && first[e] < r.n_rows;
                }
                if (!inside) {
                    r.outside = true;
                    return false;
                }
                r.sums[(size_t)chunk] = r.level.gather_rows(r.table, r.width, first, count);
                return true;
            },
            &run);
    }
    call.finish(status);
    require(!run.outside, "an index lies outside the table");
    double total = 0.0;
    for (const float each : run.sums) total += each;
    return total;
}

}  // namespace

void bind_peaks(nb::module_& m) {
    m.def("multiply_add_chains", &multiply_add_chains, nb::arg("rounds"), nb::arg("n_threads"),
          "Multiply and add in registers on each thread; returns how many operations that were.");
    m.def("gather_rows", &gather_rows, nb::arg("table").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("n_threads"), "Read rows of a table; returns the sum of their numbers.");
}

}  // namespace alternant
