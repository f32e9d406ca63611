#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <mutex>
#include <tuple>
#include <vector>

#include "binding.hpp"
#include "isa.hpp"

namespace alternant {
namespace {

// Cut the rows into chunks of about equal estimated cost (entries + rows · k / 6 where solved by Cholesky):
// some 128 of them, more where one would take so long that Ctrl-C had to wait.
std::vector<int64_t> cut_into_chunks(const RowsTask& task) {
    // Descent takes tens of cycles, of one entry's cost each.
    const double per_row = task.descends ? 64.0 : (double)task.width / 6.0 + 1.0;
    const double total = (double)task.n_entries + per_row * (double)task.n_rows;
    const double longest = 2e9 / ((double)task.width * (double)task.width + 64.0);
    const double share = std::min(std::max(total / 128.0, 256.0), std::max(longest, 256.0));
    std::vector<int64_t> bounds{0};
    double cost = 0.0;
    for (int64_t r = 0; r < task.n_rows; ++r) {
        cost += (double)(task.offsets[r + 1] - task.offsets[r]) + per_row;
        if (cost >= share && r + 1 < task.n_rows) {
            bounds.push_back(r + 1);
            cost = 0.0;
        }
    }
    bounds.push_back(task.n_rows);
    return bounds;
}

struct RowsRun {
    const RowsTask& task;
    const LevelKernels& level;
    const std::vector<int64_t>& bounds;
    int64_t longest_row;
    std::mutex mutex;
    RowResult first_failure;

    static bool body(void* self, int64_t chunk, void* scratch) {
        auto& run = *static_cast<RowsRun*>(self);
        const RowResult result = run.level.solve_rows(
            run.task, run.bounds[(size_t)chunk], run.bounds[(size_t)chunk + 1], run.longest_row, scratch);
        if (result.failure == RowFailure::none) return true;
        const std::lock_guard<std::mutex> lock(run.mutex);
        if (run.first_failure.row < 0 || result.row < run.first_failure.row) run.first_failure = result;
        return false;
    }
};

template <class T>
const T* optional_data(const std::optional<In1<T>>& array, int64_t size, const char* message) {
    if (!array) return nullptr;
    require((int64_t)array->shape(0) == size, message);
    return array->data();
}

EntryTerm entry_term(const std::optional<In1<float>>& array, double constant, double slope,
                     int64_t n_entries) {
    return {optional_data(array, n_entries, "a and b must have one number per entry"), constant, slope};
}

// (failure, row, stopped); failure 0 is none, see RowFailure.
std::tuple<int, int64_t, bool> solve_rows(
    In1<int64_t> offsets, In1<int32_t> indices, std::optional<In1<float>> values, std::optional<In1<float>> a,
    double a_constant, double a_slope, std::optional<In1<float>> b, double b_constant, double b_slope,
    bool b_is_target, nb::list shards, bool bias_column, std::optional<In1<double>> w0, In1<double> ridge,
    std::optional<In1<double>> omega, std::optional<In2<float>> gram, In1<double> rho, In1<double> kappa,
    std::optional<In2<float>> h, bool nonnegative, std::optional<In1<double>> l1,
    std::optional<In2<float>> start, bool iterative, std::optional<In1<double>> spread, Out2<float> out,
    Out1<double> losses, Out1<double> penalties, int n_threads, std::optional<StopFlag> stop) {
    RowsTask task;
    require(offsets.shape(0) >= 1, "offsets must have n_rows + 1 numbers");
    task.n_rows = (int64_t)offsets.shape(0) - 1;
    task.offsets = offsets.data();
    task.n_entries = (int64_t)indices.shape(0);
    task.indices = indices.data();
    task.values = optional_data(values, task.n_entries, "values must have one number per entry");
    task.a = entry_term(a, a_constant, a_slope, task.n_entries);
    task.b = entry_term(b, b_constant, b_slope, task.n_entries);
    task.b_is_target = b_is_target;

    task.width = (int64_t)out.shape(1);
    require(task.width >= 1 && task.width <= 65536, "width must be between 1 and 65536");
    require((int64_t)out.shape(0) == task.n_rows, "out must have one row per row of the block");
    require((int64_t)losses.shape(0) == task.n_rows && (int64_t)penalties.shape(0) == task.n_rows,
            "losses and penalties must have one number per row of the block");
    require(nb::len(shards) >= 1, "there must be at least one shard");
    std::vector<In2<float>> arrays;
    std::vector<const float*> pointers;
    for (nb::handle shard : shards) arrays.push_back(nb::cast<In2<float>>(shard, false));
    const int64_t shard_rows = (int64_t)arrays[0].shape(0);
    for (size_t i = 0; i < arrays.size(); ++i) {
        require((int64_t)arrays[i].shape(1) == task.width, "every shard must be as wide as out");
        const int64_t rows = (int64_t)arrays[i].shape(0);
        require(rows == shard_rows || (i + 1 == arrays.size() && rows <= shard_rows),
                "all shards but the last must have the same number of rows");
        pointers.push_back(arrays[i].data());
        task.n_fixed += rows;
    }
    task.shards = pointers.data();
    task.shard_mask = INT64_MAX;
    if (arrays.size() > 1) {
        require(shard_rows > 0 && (shard_rows & (shard_rows - 1)) == 0,
                "the row count of a shard must be a power of two");
        task.shard_shift = __builtin_ctzll((uint64_t)shard_rows);
        task.shard_mask = shard_rows - 1;
    }
    task.bias_column = bias_column;

    task.w0 = optional_data(w0, task.n_rows, "w0 must have one number per row");
    require((int64_t)ridge.shape(0) == task.n_rows, "ridge must have one number per row");
    task.ridge = ridge.data();
    task.omega = optional_data(omega, task.width, "omega must have one number per column");
    if (gram) {
        require((int64_t)gram->shape(0) == task.width && (int64_t)gram->shape(1) == task.width,
                "gram must be width × width");
        task.gram = gram->data();
    }
    require((int64_t)rho.shape(0) == task.width && (int64_t)kappa.shape(0) == task.width,
            "rho and kappa must have one number per column");
    task.rho = rho.data();
    task.kappa = kappa.data();
    if (h) {
        require((int64_t)h->shape(0) == task.n_rows && (int64_t)h->shape(1) == task.width,
                "h must have the shape of out");
        task.h = h->data();
    }
    task.nonnegative = nonnegative;
    task.l1 = optional_data(l1, task.n_rows, "l1 must have one number per row");
    task.descends = nonnegative || task.l1 != nullptr;
    if (start) {
        require((int64_t)start->shape(0) == task.n_rows && (int64_t)start->shape(1) == task.width,
                "start must have the shape of out");
        task.start = start->data();
    }
    task.iterative = iterative;
    task.spread = optional_data(spread, task.width, "spread must have one number per column");
    task.out = out.data();
    task.losses = losses.data();
    task.penalties = penalties.data();

    Call call(n_threads, stop);
    RowResult result;
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        const int64_t bad = first_bad_row(task.offsets, task.n_rows, task.n_entries);
        if (bad >= 0) return {(int)RowFailure::bad_offsets, bad, false};
        int64_t longest_row = 0;
        for (int64_t r = 0; r < task.n_rows; ++r) {
            longest_row = std::max(longest_row, task.offsets[r + 1] - task.offsets[r]);
        }
        const std::vector<int64_t> bounds = cut_into_chunks(task);
        RowsRun run{task, kernels(), bounds, longest_row, {}, {}};
        status = run_chunks((int64_t)bounds.size() - 1, call.options(),
                            run.level.rows_scratch_bytes(task, longest_row), &RowsRun::body, &run);
        result = run.first_failure;
    }
    const bool stopped = call.finish(status);
    return {(int)result.failure, result.row, stopped};
}

}  // namespace

void bind_rows(nb::module_& m) {
    m.def("least_iterative_entries", &least_iterative_entries, nb::arg("width"),
          "Rows of fewer entries are never solved by steps from a start.");
    m.def("solve_rows", &solve_rows, nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("values").noconvert().none(), nb::kw_only(), nb::arg("a").noconvert().none(),
          nb::arg("a_constant"), nb::arg("a_slope"), nb::arg("b").noconvert().none(), nb::arg("b_constant"),
          nb::arg("b_slope"), nb::arg("b_is_target"), nb::arg("shards"), nb::arg("bias_column"),
          nb::arg("w0").noconvert().none(), nb::arg("ridge").noconvert(), nb::arg("omega").noconvert().none(),
          nb::arg("gram").noconvert().none(), nb::arg("rho").noconvert(), nb::arg("kappa").noconvert(),
          nb::arg("h").noconvert().none(), nb::arg("nonnegative"), nb::arg("l1").noconvert().none(),
          nb::arg("start").noconvert().none(), nb::arg("iterative"), nb::arg("spread").noconvert().none(),
          nb::arg("out").noconvert(), nb::arg("losses").noconvert(), nb::arg("penalties").noconvert(),
          nb::arg("n_threads"), nb::arg("stop").noconvert().none(),
          "Solve the row systems of one block; returns (failure, row, stopped).");
}

}  // namespace alternant
