// Inverses of Cholesky factors, of many small matrices at once: C = L⁻¹ with M = L Lᵀ, so that qᵀM⁻¹q =
// |Cq|².
#include <algorithm>
#include <atomic>
#include <cmath>

#include "binding.hpp"

namespace alternant {
namespace {

// m (float64, width × width, row-major): its upper triangle becomes U with M = UᵀU; whether M is positive
// definite.
bool factorise_upper(double* m, int64_t width) {
    for (int64_t j = 0; j < width; ++j) {
        double* row = m + j * width;
        if (!(row[j] > 0.0) || !std::isfinite(row[j])) return false;
        const double scale = 1.0 / std::sqrt(row[j]);
        for (int64_t c = j; c < width; ++c) row[c] *= scale;
        for (int64_t i = j + 1; i < width; ++i) {
            const double factor = row[i];
            double* below = m + i * width;
            for (int64_t c = i; c < width; ++c) below[c] -= factor * row[c];
        }
    }
    return true;
}

// The strict lower triangle of m becomes that of C = U⁻ᵀ, row by row; out gets all of C. Above, U stays.
void invert_lower(double* m, int64_t width, float* out) {
    for (int64_t i = 0; i < width; ++i) {
        double* row = m + i * width;
        const double diagonal = 1.0 / row[i];
        for (int64_t c = 0; c < i; ++c) row[c] = 0.0;
        for (int64_t j = 0; j < i; ++j) {
            const double factor = m[j * width + i] * diagonal;
            const double* above = m + j * width;
            for (int64_t c = 0; c < j; ++c) row[c] -= factor * above[c];
            row[j] -= factor / above[j];
        }
        for (int64_t c = 0; c < i; ++c) out[i * width + c] = (float)row[c];
        out[i * width + i] = (float)diagonal;
        for (int64_t c = i + 1; c < width; ++c) out[i * width + c] = 0.0f;
    }
}

// matrices : n of width × width below each other, overwritten; out : float32, the same shape. Returns the
// first matrix that is not positive definite, or -1.
int64_t half_inverses(Out2<double> matrices, Out2<float> out, int n_threads) {
    const int64_t width = (int64_t)matrices.shape(1);
    require(width > 0 && (int64_t)matrices.shape(0) % width == 0,
            "matrices must be square, below each other");
    require(out.shape(0) == matrices.shape(0) && (int64_t)out.shape(1) == width,
            "out must have the shape of the matrices");
    struct Run {
        double* matrices;
        float* out;
        int64_t n, width;
        std::atomic<int64_t> failed;
    } run{matrices.data(), out.data(), (int64_t)matrices.shape(0) / width, width, {-1}};
    constexpr int64_t at_once = 4;
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status =
            run_chunks((run.n + at_once - 1) / at_once, call.options(), 0,
                       [](void* self, int64_t chunk, void*) {
                           auto& r = *static_cast<Run*>(self);
                           for (int64_t i = chunk * at_once; i < std::min(r.n, (chunk + 1) * at_once); ++i) {
                               double* m = r.matrices + i * r.width * r.width;
                               if (factorise_upper(m, r.width)) {
                                   invert_lower(m, r.width, r.out + i * r.width * r.width);
                                   continue;
                               }
                               int64_t first = r.failed;
                               while ((first < 0 || i < first) && !r.failed.compare_exchange_weak(first, i)) {
                               }
                           }
                           return true;
                       },
                       &run);
    }
    call.finish(status);
    return run.failed;
}

}  // namespace

void bind_inverses(nb::module_& m) {
    m.def("half_inverses", &half_inverses, nb::arg("matrices").noconvert(), nb::arg("out").noconvert(),
          nb::arg("n_threads"),
          "Fill out with the inverses of Cholesky factors; returns the first matrix that has none, or -1.");
}

}  // namespace alternant
