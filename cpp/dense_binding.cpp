#include <nanobind/stl/optional.h>

#include <algorithm>
#include <vector>

#include "binding.hpp"
#include "eigen.hpp"
#include "isa.hpp"
#include "run_each.hpp"

namespace alternant {
namespace {

constexpr int64_t gramian_chunk = 4096;  // rows summed before their float64 sum joins the others, in order
constexpr int64_t chunks_at_once = 64;   // bounds the memory of the partial sums
constexpr int64_t table_chunk = 1024;

// gram (float64, width × width) = tableᵀ table. Fixed chunks summed in index order: any number of threads,
// same bits.
bool gramian(In2<float> table, std::optional<In1<float>> scale, Out2<double> gram, int n_threads) {
    const int64_t n = (int64_t)table.shape(0), width = (int64_t)gram.shape(0);
    require((int64_t)gram.shape(1) == width && width <= (int64_t)table.shape(1),
            "gram must be square, at most as wide as the table");
    require(!scale || (int64_t)scale->shape(0) == n, "scale must have one number per row");
    struct Run {
        const LevelKernels& level;
        const float* table;
        const float* scale;
        int64_t n, stride, width, first_chunk;
        std::vector<double> sums;
    };
    Call call(n_threads, std::nullopt);
    RunStatus status = RunStatus::done;
    {
        const nb::gil_scoped_release release;
        Run run{
            kernels(), table.data(), scale ? scale->data() : nullptr, n, (int64_t)table.shape(1), width, 0,
            {}};
        double* total = gram.data();
        std::fill(total, total + width * width, 0.0);
        const int64_t n_chunks = (n + gramian_chunk - 1) / gramian_chunk;
        for (; run.first_chunk < n_chunks && status == RunStatus::done; run.first_chunk += chunks_at_once) {
            const int64_t now = std::min(chunks_at_once, n_chunks - run.first_chunk);
            run.sums.assign((size_t)(now * width * width), 0.0);
            status = run_chunks(
                now, call.options(), run.level.gramian_scratch_bytes(width),
                [](void* self, int64_t chunk, void* scratch) {
                    auto& r = *static_cast<Run*>(self);
                    const int64_t first = (r.first_chunk + chunk) * gramian_chunk;
                    r.level.add_gramian(r.table, r.stride, r.scale, first,
                                        std::min(first + gramian_chunk, r.n), r.width,
                                        r.sums.data() + chunk * r.width * r.width, scratch);
                    return true;
                },
                &run);
            for (int64_t c = 0; c < now; ++c) {
                for (int64_t i = 0; i < width * width; ++i)
                    total[i] += run.sums[(size_t)(c * width * width + i)];
            }
        }
        for (int64_t i = 0; i < width; ++i) {
            for (int64_t j = 0; j < i; ++j) total[i * width + j] = total[j * width + i];
        }
    }
    return call.finish(status);
}

bool multiply(In2<float> table, In2<float> matrix, Out2<float> out, int n_threads) {
    const int64_t n = (int64_t)table.shape(0), stride = (int64_t)table.shape(1);
    const int64_t width = (int64_t)matrix.shape(0), out_width = (int64_t)matrix.shape(1);
    require(width <= stride, "matrix must have at most one row per column of the table");
    require((int64_t)out.shape(0) == n && (int64_t)out.shape(1) == out_width + stride - width,
            "out must be (n_rows, out_width and the columns left over)");
    struct Run {
        const LevelKernels& level;
        const float *table, *matrix;
        int64_t n, stride, width, out_width;
        float* out;
    } run{kernels(), table.data(), matrix.data(), n, stride, width, out_width, out.data()};
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_chunks(
            chunks_of(n, table_chunk), call.options(), run.level.multiply_scratch_bytes(width),
            [](void* self, int64_t chunk, void* scratch) {
                auto& r = *static_cast<Run*>(self);
                const Span rows = span_of(chunk, table_chunk, r.n);
                r.level.multiply(r.table, r.stride, rows.begin, rows.end, r.width, r.matrix, r.out_width,
                                 r.out, scratch);
                return true;
            },
            &run);
    }
    return call.finish(status);
}

bool multiply_sparse(In1<int64_t> offsets, In1<int32_t> indices, std::optional<In1<float>> values,
                     double shift, In2<float> table, Out2<float> out, int n_threads) {
    const int64_t n = (int64_t)offsets.shape(0) - 1, n_entries = (int64_t)indices.shape(0);
    const int64_t n_fixed = (int64_t)table.shape(0);
    require(n >= 0 && (int64_t)out.shape(0) == n && out.shape(1) == table.shape(1),
            "out must be (n_rows, width)");
    require(!values || (int64_t)values->shape(0) == n_entries, "values must have one number per entry");
    require(first_bad_row(offsets.data(), n, n_entries) < 0, "offsets must rise and stay within the entries");
    for (int64_t e = 0; e < n_entries; ++e) {
        require(indices.data()[e] >= 0 && indices.data()[e] < n_fixed, "an index lies outside the table");
    }
    struct Run {
        const LevelKernels& level;
        const int64_t* offsets;
        const int32_t* indices;
        const float* values;
        double shift;
        const float* table;
        int64_t n, width;
        float* out;
    } run{kernels(),
          offsets.data(),
          indices.data(),
          values ? values->data() : nullptr,
          shift,
          table.data(),
          n,
          (int64_t)table.shape(1),
          out.data()};
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        constexpr int64_t rows = 128;
        status = run_chunks((n + rows - 1) / rows, call.options(), 0,
                            [](void* self, int64_t chunk, void*) {
                                auto& r = *static_cast<Run*>(self);
                                const int64_t first = chunk * rows, last = std::min(first + rows, r.n);
                                const int64_t skip = r.offsets[first] - r.offsets[0];
                                // The kernel counts entries and rows from its first row on.
                                r.level.multiply_sparse(r.offsets + first, r.indices + skip,
                                                        r.values != nullptr ? r.values + skip : nullptr,
                                                        r.shift, r.table, r.width, 0, last - first,
                                                        r.out + first * r.width);
                                return true;
                            },
                            &run);
    }
    return call.finish(status);
}

bool eigen(In2<double> matrix, Out1<double> values, Out2<double> vectors, int n_threads) {
    const int64_t n = (int64_t)matrix.shape(0);
    require((int64_t)matrix.shape(1) == n && (int64_t)values.shape(0) == n &&
                (int64_t)vectors.shape(0) == n && (int64_t)vectors.shape(1) == n,
            "matrix and vectors must be square, values as long");
    RunOptions options;  // a fraction of a second: neither stopped nor polled
    options.n_threads = n_threads;
    const nb::gil_scoped_release release;
    std::vector<double> a(matrix.data(), matrix.data() + n * n), work((size_t)(3 * n));
    return symmetric_eigen(a.data(), n, values.data(), vectors.data(), work.data(), options);
}

}  // namespace

void bind_dense(nb::module_& m) {
    m.def("gramian", &gramian, nb::arg("table").noconvert(), nb::arg("scale").noconvert().none(),
          nb::arg("gram").noconvert(), nb::arg("n_threads"),
          "Fill gram with tableᵀ diag(scale²) table in float64; returns whether it was stopped.");
    m.def("multiply", &multiply, nb::arg("table").noconvert(), nb::arg("matrix").noconvert(),
          nb::arg("out").noconvert(), nb::arg("n_threads"),
          "Fill out with table · matrix, and the columns that the matrix leaves over.");
    m.def("multiply_sparse", &multiply_sparse, nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("values").noconvert().none(), nb::arg("shift"), nb::arg("table").noconvert(),
          nb::arg("out").noconvert(), nb::arg("n_threads"), "Fill out with (entries − shift) · table.");
    m.def("symmetric_eigen", &eigen, nb::arg("matrix").noconvert(), nb::arg("values").noconvert(),
          nb::arg("vectors").noconvert(), nb::arg("n_threads"),
          "Decompose a symmetric matrix; returns whether it converged.");
}

}  // namespace alternant
