// One pass of the bias model: a row's bias from its residuals, the other side's biases given.
#include <nanobind/stl/optional.h>

#include <algorithm>
#include <atomic>

#include "binding.hpp"

namespace alternant {
namespace {

// biases_u = Σ_e w_e (v_e − mean − fixed_e) / (Σ_e w_e + shrinkage) over the entries e of row u, and
// squares_u = Σ_e w_e (v_e − mean − fixed_e − biases_u)²; rows without entries get 0.
bool bias_pass(In1<int64_t> offsets, In1<int32_t> indices, In1<float> values,
               std::optional<In1<float>> weights, double mean, In1<double> fixed, double shrinkage,
               Out1<double> biases, Out1<double> squares, int n_threads) {
    const int64_t n = (int64_t)offsets.shape(0) - 1, n_entries = (int64_t)indices.shape(0);
    require(n >= 0 && (int64_t)biases.shape(0) == n && (int64_t)squares.shape(0) == n,
            "biases and squares must have one number per row");
    require((int64_t)values.shape(0) == n_entries && (!weights || (int64_t)weights->shape(0) == n_entries),
            "values and weights must have one number per entry");
    require(first_bad_row(offsets.data(), n, n_entries) < 0, "offsets must rise and stay within the entries");
    struct Run {
        const int64_t* offsets;
        const int32_t* indices;
        const float *values, *weights;
        double mean;
        const double* fixed;
        int64_t n_fixed, n;
        double shrinkage;
        double *biases, *squares;
        std::atomic<bool> damaged{false};
    } run{offsets.data(), indices.data(), values.data(),           weights ? weights->data() : nullptr,
          mean,           fixed.data(),   (int64_t)fixed.shape(0), n,
          shrinkage,      biases.data(),  squares.data()};
    constexpr int64_t rows = 256;
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_chunks((n + rows - 1) / rows, call.options(), 0,
                            [](void* self, int64_t chunk, void*) {
                                auto& r = *static_cast<Run*>(self);
                                for (int64_t u = chunk * rows; u < std::min(r.n, (chunk + 1) * rows); ++u) {
                                    const int64_t begin = r.offsets[u] - r.offsets[0],
                                                  end = r.offsets[u + 1] - r.offsets[0];
                                    double total = 0.0, weight = 0.0, square = 0.0;
                                    for (int64_t e = begin; e < end; ++e) {
                                        const int32_t i = r.indices[e];
                                        if (i < 0 || i >= r.n_fixed) return !(r.damaged = true);
                                        const double w = r.weights != nullptr ? r.weights[e] : 1.0;
                                        const double residual = r.values[e] - r.mean - r.fixed[i];
                                        total += w * residual;
                                        weight += w;
                                        square += w * residual * residual;
                                    }
                                    const double bias = end > begin ? total / (weight + r.shrinkage) : 0.0;
                                    r.biases[u] = bias;
                                    r.squares[u] = square - bias * (2.0 * total - bias * weight);
                                }
                                return true;
                            },
                            &run);
    }
    require(!run.damaged, "an index lies outside the other side");
    return call.finish(status);
}

}  // namespace

void bind_biases(nb::module_& m) {
    m.def("bias_pass", &bias_pass, nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("values").noconvert(), nb::arg("weights").noconvert().none(), nb::arg("mean"),
          nb::arg("fixed").noconvert(), nb::arg("shrinkage"), nb::arg("biases").noconvert(),
          nb::arg("squares").noconvert(), nb::arg("n_threads"),
          "Fill each row's shrunk bias and its sum of squared residuals.");
}

}  // namespace alternant
