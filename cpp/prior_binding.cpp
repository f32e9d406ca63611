// Bindings for prior means (prior.hpp).
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "binding.hpp"
#include "isa.hpp"
#include "run_each.hpp"

namespace alternant {
namespace {

// Rows summed before their float64 sums join the others, in order: any number of threads, same bits.
constexpr int64_t rows_a_chunk = 256;
constexpr int64_t small_work = 1 << 15;  // lines of panels that are read before a second thread is worth it

using Panels = nb::ndarray<float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using ConstPanels = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

// slopes, active : one number per row; rho, kappa : one per column.
using Ridges = std::tuple<In1<double>, In1<double>, In1<double>, In1<double>>;

RowRidges ridges_of(const Ridges& given, int64_t n_rows, int64_t width) {
    const auto& [slopes, active, rho, kappa] = given;
    require((int64_t)slopes.shape(0) == n_rows && (int64_t)active.shape(0) == n_rows,
            "slopes and active must have one number per row");
    require((int64_t)rho.shape(0) == width && (int64_t)kappa.shape(0) == width,
            "rho and kappa must have one number per column");
    return {slopes.data(), active.data(), rho.data(), kappa.data()};
}

SparseRows sparse_rows(const In1<int64_t>& offsets, const In1<int32_t>& indices,
                       const std::optional<In1<float>>& values, int64_t n_rows, int64_t n_columns) {
    const auto n_entries = (int64_t)indices.shape(0);
    require((int64_t)offsets.shape(0) == n_rows + 1, "offsets must have n_rows + 1 numbers");
    require(!values || (int64_t)values->shape(0) == n_entries, "values must have one number per entry");
    require(first_bad_row(offsets.data(), n_rows, n_entries) < 0,
            "offsets must rise and stay within the entries");
    return {offsets.data(), indices.data(), values ? values->data() : nullptr, n_columns};
}

template <class Array>
void require_panels(const Array& panels, int64_t n, const char* message) {
    require((int64_t)panels.shape(1) == n && (int64_t)panels.shape(2) == panel_columns, message);
}

// Call body(panel, begin, end, sums of the chunk) panel by panel, chunk of rows by chunk of rows, and add the
// chunks' sums (n_sums for each panel) in order.
template <class Body>
bool run_panels(int64_t n_panels, int64_t n_rows, int64_t work, int64_t n_sums, double* sums, int n_threads,
                Body body) {
    Call call(work * n_panels < small_work ? 1 : n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        const int64_t n_chunks = chunks_of(n_rows, rows_a_chunk);
        std::vector<double> parts((size_t)(n_panels * n_chunks * n_sums), 0.0);
        status = run_each(n_panels * n_chunks, call.options(), [&](int64_t chunk) {
            const Span span = span_of(chunk % n_chunks, rows_a_chunk, n_rows);
            require(body(chunk / n_chunks, span.begin, span.end, parts.data() + chunk * n_sums),
                    "an index lies outside the table");
        });
        for (int64_t panel = 0; panel < n_panels; ++panel) {
            double* total = sums + panel * n_sums;
            std::fill_n(total, n_sums, 0.0);
            for (int64_t chunk = 0; chunk < n_chunks; ++chunk) {
                const double* part = parts.data() + (panel * n_chunks + chunk) * n_sums;
                for (int64_t i = 0; i < n_sums; ++i) total[i] += part[i];
            }
        }
    }
    return call.finish(status);
}

// One part as a tuple: offsets, indices, values or None, scale or None, panels, out.
using Part = std::tuple<In1<int64_t>, In1<int32_t>, std::optional<In1<float>>, std::optional<In1<float>>,
                        ConstPanels, Panels>;

bool weigh_rows(std::vector<Part> parts, Ridges ridges, std::optional<In2<float>> table,
                std::optional<In2<float>> means, Out2<double> sums, int n_threads) {
    const auto& slopes = std::get<0>(ridges);
    WeighTask task;
    task.n_rows = (int64_t)slopes.shape(0);
    task.width = (int64_t)std::get<2>(ridges).shape(0);
    task.ridges = ridges_of(ridges, task.n_rows, task.width);
    require(table.has_value() == means.has_value(), "table and means must come together");
    if (means) {
        require((int64_t)table->shape(0) == task.n_rows && (int64_t)means->shape(0) == task.n_rows &&
                    (int64_t)table->shape(1) == task.width && (int64_t)means->shape(1) == task.width,
                "table and means must be (n_rows, width)");
        task.table = table->data();
        task.means = means->data();
    }
    std::vector<PriorPart> plain;
    int64_t n_panels = 0, work = task.n_rows;
    for (const auto& [offsets, indices, values, scale, panels, out] : parts) {
        PriorPart part;
        part.rows = sparse_rows(offsets, indices, values, task.n_rows, (int64_t)panels.shape(1));
        require(!scale || (int64_t)scale->shape(0) == task.n_rows, "scale must have one number per row");
        part.scale = scale ? scale->data() : nullptr;
        part.n_panels = (int64_t)panels.shape(0);
        require_panels(panels, part.rows.n_columns, "panels must be (n_panels, n_features, panel_columns)");
        require_panels(out, task.n_rows, "out must be (n_panels, n_rows, panel_columns)");
        require((int64_t)out.shape(0) == part.n_panels && (part.n_panels - 1) * panel_columns < task.width,
                "panels and out must have as many panels, and none beyond the width");
        part.panels = panels.data();
        part.out = out.data();
        n_panels = std::max(n_panels, part.n_panels);
        if (!means) work += (int64_t)indices.shape(0);
        plain.push_back(part);
    }
    task.parts = plain.data();
    task.n_parts = (int64_t)plain.size();
    require((int64_t)sums.shape(0) == n_panels && (int64_t)sums.shape(1) == panel_columns,
            "sums must be (n_panels, panel_columns)");
    const LevelKernels& level = kernels();
    return run_panels(n_panels, task.n_rows, work, panel_columns, sums.data(), n_threads,
                      [&](int64_t panel, int64_t begin, int64_t end, double* part) {
                          return level.prior_weigh(task, panel, begin, end, part);
                      });
}

// Coefficients, residual and direction of one part, and the diagonal and ridge that its steps are scaled by.
StepTask step_task(const Ridges& diagonal, double ridge, const Panels& residual, const Panels& direction) {
    StepTask task;
    task.n_features = (int64_t)residual.shape(1);
    task.width = (int64_t)std::get<2>(diagonal).shape(0);
    task.diagonal = ridges_of(diagonal, task.n_features, task.width);
    task.ridge = ridge;
    require_panels(residual, task.n_features, "residual must be (n_panels, n_features, panel_columns)");
    require_panels(direction, task.n_features, "direction must be (n_panels, n_features, panel_columns)");
    require(direction.shape(0) == residual.shape(0), "direction must have the shape of residual");
    task.residual = residual.data();
    task.direction = direction.data();
    return task;
}

bool step_coefficients(In1<int64_t> offsets, In1<int32_t> indices, std::optional<In1<float>> values,
                       ConstPanels weighed, Ridges diagonal, double ridge, In2<float> lengths,
                       Panels coefficients, Panels residual, Panels direction, Out2<double> sums,
                       int n_threads) {
    StepTask task = step_task(diagonal, ridge, residual, direction);
    const auto n_panels = (int64_t)residual.shape(0);
    require_panels(coefficients, task.n_features,
                   "coefficients must be (n_panels, n_features, panel_columns)");
    require_panels(weighed, (int64_t)weighed.shape(1), "weighed must be (n_panels, n_rows, panel_columns)");
    require(coefficients.shape(0) == residual.shape(0) && weighed.shape(0) == residual.shape(0),
            "coefficients, weighed and residual must have as many panels");
    require((int64_t)lengths.shape(0) == n_panels && (int64_t)lengths.shape(1) == panel_columns &&
                sums.shape(0) == lengths.shape(0) && sums.shape(1) == lengths.shape(1),
            "lengths and sums must be (n_panels, panel_columns)");
    task.columns = sparse_rows(offsets, indices, values, task.n_features, (int64_t)weighed.shape(1));
    task.weighed = weighed.data();
    task.coefficients = coefficients.data();
    const LevelKernels& level = kernels();
    return run_panels(n_panels, task.n_features, (int64_t)indices.shape(0) + task.n_features, panel_columns,
                      sums.data(), n_threads, [&](int64_t panel, int64_t begin, int64_t end, double* part) {
                          return level.prior_step(task, panel, lengths.data() + panel * panel_columns, begin,
                                                  end, part);
                      });
}

bool turn_direction(Ridges diagonal, double ridge, In2<float> turns, Panels residual, Panels direction,
                    Out2<double> sums, int n_threads) {
    const StepTask task = step_task(diagonal, ridge, residual, direction);
    const auto n_panels = (int64_t)residual.shape(0);
    require((int64_t)turns.shape(0) == n_panels && (int64_t)turns.shape(1) == panel_columns &&
                (int64_t)sums.shape(0) == n_panels && (int64_t)sums.shape(1) == 2 * panel_columns,
            "turns must be (n_panels, panel_columns), sums (n_panels, 2 · panel_columns)");
    const LevelKernels& level = kernels();
    return run_panels(n_panels, task.n_features, task.n_features, 2 * panel_columns, sums.data(), n_threads,
                      [&](int64_t panel, int64_t begin, int64_t end, double* part) {
                          level.prior_turn(task, panel, turns.data() + panel * panel_columns, begin, end,
                                           part);
                          return true;
                      });
}

bool about_means(MeansTask task, int n_threads) {
    Call call(task.n_rows * task.width / panel_columns < small_work ? 1 : n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        const LevelKernels& level = kernels();
        status = run_each(chunks_of(task.n_rows, rows_a_chunk), call.options(), [&](int64_t chunk) {
            const Span span = span_of(chunk, rows_a_chunk, task.n_rows);
            level.about_means(task, span.begin, span.end);
        });
    }
    return call.finish(status);
}

MeansTask means_task(const In2<float>& means, const Ridges& ridges) {
    MeansTask task;
    task.n_rows = (int64_t)means.shape(0);
    task.width = (int64_t)means.shape(1);
    task.ridges = ridges_of(ridges, task.n_rows, task.width);
    task.means = means.data();
    return task;
}

bool mean_terms(In2<float> means, Ridges ridges, Out2<float> h, int n_threads) {
    MeansTask task = means_task(means, ridges);
    require(h.shape(0) == means.shape(0) && h.shape(1) == means.shape(1), "h must have the shape of means");
    task.h = h.data();
    return about_means(task, n_threads);
}

bool mean_penalties(In2<float> table, In2<float> means, Ridges ridges, std::optional<Out1<double>> losses,
                    Out1<double> penalties, int n_threads) {
    MeansTask task = means_task(means, ridges);
    require(table.shape(0) == means.shape(0) && table.shape(1) == means.shape(1),
            "table must have the shape of means");
    require(
        (!losses || (int64_t)losses->shape(0) == task.n_rows) && (int64_t)penalties.shape(0) == task.n_rows,
        "losses and penalties must have one number per row");
    task.table = table.data();
    task.losses = losses ? losses->data() : nullptr;
    task.penalties = penalties.data();
    return about_means(task, n_threads);
}

}  // namespace

void bind_prior(nb::module_& m) {
    m.attr("panel_columns") = panel_columns;
    m.def("weigh_rows", &weigh_rows, nb::arg("parts").noconvert(), nb::arg("ridges").noconvert(),
          nb::arg("table").noconvert().none(), nb::arg("means").noconvert().none(),
          nb::arg("sums").noconvert(), nb::arg("n_threads"),
          "Fill each part's out with φ D (means − table), or φ D Φ p; sums with yᵀ D y.");
    m.def("step_coefficients", &step_coefficients, nb::arg("offsets").noconvert(),
          nb::arg("indices").noconvert(), nb::arg("values").noconvert().none(),
          nb::arg("weighed").noconvert(), nb::arg("diagonal").noconvert(), nb::arg("ridge"),
          nb::arg("lengths").noconvert(), nb::arg("coefficients").noconvert(),
          nb::arg("residual").noconvert(), nb::arg("direction").noconvert(), nb::arg("sums").noconvert(),
          nb::arg("n_threads"), "Step along a direction; sums become rᵀ P r.");
    m.def("turn_direction", &turn_direction, nb::arg("diagonal").noconvert(), nb::arg("ridge"),
          nb::arg("turns").noconvert(), nb::arg("residual").noconvert(), nb::arg("direction").noconvert(),
          nb::arg("sums").noconvert(), nb::arg("n_threads"),
          "Replace p by P r + turns · p; sums become pᵀ r and ridge · pᵀ p.");
    m.def("mean_terms", &mean_terms, nb::arg("means").noconvert(), nb::arg("ridges").noconvert(),
          nb::arg("h").noconvert(), nb::arg("n_threads"), "Fill h with D · means.");
    m.def("mean_penalties", &mean_penalties, nb::arg("table").noconvert(), nb::arg("means").noconvert(),
          nb::arg("ridges").noconvert(), nb::arg("losses").noconvert().none(),
          nb::arg("penalties").noconvert(), nb::arg("n_threads"),
          "Fill penalties with (x − m)ᵀ D (x − m); turn losses of h = D m into those.");
}

}  // namespace alternant
