// Ranking and pair scores: checks what the kernels rely on, and deals the work out to threads.
#include <nanobind/stl/optional.h>

#include "binding.hpp"
#include "isa.hpp"
#include "topk_task.hpp"

namespace alternant {
namespace {

template <class T>
using Optional1 = std::optional<In1<T>>;

LastColumn last_column(int value) {
    require(value >= 0 && value <= 2, "last column must be 0 (stored), 1 (one) or 2 (zero)");
    return static_cast<LastColumn>(value);
}

// Both scales or none, of one length per row.
void check_scales(const Optional1<float>& a, size_t n_a, const Optional1<float>& b, size_t n_b) {
    require(a.has_value() == b.has_value(), "give both scales or none");
    require(!a || (a->size() == n_a && b->size() == n_b), "a scale needs one value per row");
}

void check_ascending(const int32_t* values, int64_t n, int64_t n_rows, const char* message) {
    for (int64_t i = 0; i < n; ++i) {
        require(values[i] >= 0 && values[i] < n_rows && (i == 0 || values[i - 1] < values[i]), message);
    }
}

void check_excludes(const int64_t* offsets, const int32_t* indices, int64_t n_queries, int64_t n_indices,
                    int64_t n_rows) {
    require(offsets[0] == 0 && offsets[n_queries] == n_indices, "exclude_offsets must span exclude_indices");
    // All offsets before any index: a falling one later would let an earlier one point outside.
    for (int64_t q = 0; q < n_queries; ++q)
        require(offsets[q] <= offsets[q + 1], "exclude_offsets must not fall");
    for (int64_t q = 0; q < n_queries; ++q) {
        check_ascending(indices + offsets[q], offsets[q + 1] - offsets[q], n_rows,
                        "exclude_indices must be in range and ascending within a query");
    }
}

// Few enough queries that every thread has work and that a chunk is short; enough to pay for packing the
// panels.
int64_t queries_per_chunk(const TopKTask& task, int n_threads) {
    constexpr int64_t tile = 6;
    constexpr double work = 4e9;  // multiply-adds: a fraction of a second
    const int64_t fair = (task.n_queries + n_threads - 1) / n_threads;
    const double per_query = static_cast<double>(task.n_candidates) * static_cast<double>(task.width) + 1.0;
    int64_t n = fair < max_queries_per_chunk ? fair : max_queries_per_chunk;
    if (static_cast<double>(n) * per_query > work) n = static_cast<int64_t>(work / per_query);
    n = (n + tile - 1) / tile * tile;
    return n < tile ? tile : n;
}

void top_k(In2<float> queries, In2<float> table, int table_last, Optional1<float> query_scale,
           Optional1<float> table_scale, Optional1<int64_t> exclude_offsets,
           Optional1<int32_t> exclude_indices, Optional1<int32_t> candidates, Out2<int32_t> out_indices,
           Out2<float> out_scores, Out1<int64_t> out_counts, int n_threads) {
    TopKTask task{};
    task.queries = queries.data();
    task.table = table.data();
    task.n_queries = static_cast<int64_t>(queries.shape(0));
    task.n_rows = static_cast<int64_t>(table.shape(0));
    task.width = static_cast<int64_t>(table.shape(1));
    task.table_last = last_column(table_last);
    require(queries.shape(1) == table.shape(1), "queries and table must have the same number of columns");
    require(task.n_rows <= INT32_MAX, "table must have fewer than 2**31 rows");
    require(task.width > 0 || task.table_last == LastColumn::stored,
            "a table without columns has no last one");
    check_scales(query_scale, queries.shape(0), table_scale, table.shape(0));
    if (query_scale) {
        task.query_scale = query_scale->data();
        task.table_scale = table_scale->data();
    }
    task.n_candidates = task.n_rows;
    if (candidates) {
        task.candidates = candidates->data();
        task.n_candidates = static_cast<int64_t>(candidates->size());
        check_ascending(task.candidates, task.n_candidates, task.n_rows,
                        "candidates must be in range and ascending");
    }
    require(exclude_offsets.has_value() == exclude_indices.has_value(), "give both exclude arrays or none");
    if (exclude_offsets) {
        require(exclude_offsets->size() == queries.shape(0) + 1,
                "exclude_offsets needs one value per query and one more");
        task.exclude_offsets = exclude_offsets->data();
        task.exclude_indices = exclude_indices->data();
        check_excludes(task.exclude_offsets, task.exclude_indices, task.n_queries,
                       static_cast<int64_t>(exclude_indices->size()), task.n_rows);
    }
    task.k = static_cast<int64_t>(out_scores.shape(1));
    require(task.k <= task.n_candidates, "k must be at most the number of candidates");
    require(out_scores.shape(0) == queries.shape(0) && out_indices.shape(0) == queries.shape(0) &&
                out_counts.shape(0) == queries.shape(0) && out_indices.shape(1) == out_scores.shape(1),
            "outputs must have one row per query and k columns");
    task.out_indices = out_indices.data();
    task.out_scores = out_scores.data();
    task.out_counts = out_counts.data();
    if (task.k == 0) {
        for (int64_t q = 0; q < task.n_queries; ++q) task.out_counts[q] = 0;
        return;
    }

    struct Context {
        const TopKTask& task;
        const LevelKernels& level;
        int64_t per_chunk;
    };
    Context context{task, kernels(), queries_per_chunk(task, n_threads)};
    const int64_t n_chunks = (task.n_queries + context.per_chunk - 1) / context.per_chunk;
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release released;
        status = run_chunks(
            n_chunks, call.options(), context.level.topk_scratch_bytes(task),
            [](void* data, int64_t chunk, void* scratch) {
                const Context& c = *static_cast<Context*>(data);
                const int64_t first = chunk * c.per_chunk;
                const int64_t last =
                    first + c.per_chunk < c.task.n_queries ? first + c.per_chunk : c.task.n_queries;
                c.level.top_k(c.task, first, last, scratch);
                return true;
            },
            &context);
    }
    call.finish(status);
}

void pair_scores(In2<float> left, In2<float> right, int left_last, int right_last,
                 Optional1<float> left_scale, Optional1<float> right_scale, In1<int32_t> left_rows,
                 In1<int32_t> right_rows, Out1<float> out, int n_threads) {
    PairsTask task{};
    task.left = left.data();
    task.right = right.data();
    task.width = static_cast<int64_t>(left.shape(1));
    task.left_last = last_column(left_last);
    task.right_last = last_column(right_last);
    require(left.shape(1) == right.shape(1), "both tables must have the same number of columns");
    require(task.width > 0 || (task.left_last == LastColumn::stored && task.right_last == LastColumn::stored),
            "a table without columns has no last one");
    check_scales(left_scale, left.shape(0), right_scale, right.shape(0));
    if (left_scale) {
        task.left_scale = left_scale->data();
        task.right_scale = right_scale->data();
    }
    const int64_t n_pairs = static_cast<int64_t>(out.size());
    require(left_rows.size() == out.size() && right_rows.size() == out.size(),
            "rows and out must be of one length");
    task.left_rows = left_rows.data();
    task.right_rows = right_rows.data();
    task.out = out.data();
    const int64_t n_left = static_cast<int64_t>(left.shape(0)),
                  n_right = static_cast<int64_t>(right.shape(0));
    for (int64_t p = 0; p < n_pairs; ++p) {
        require(task.left_rows[p] >= 0 && task.left_rows[p] < n_left, "left_rows out of range");
        require(task.right_rows[p] >= 0 && task.right_rows[p] < n_right, "right_rows out of range");
    }

    struct Context {
        const PairsTask& task;
        const LevelKernels& level;
        int64_t n_pairs;
    };
    constexpr int64_t per_chunk = 4096;
    Context context{task, kernels(), n_pairs};
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release released;
        status = run_chunks((n_pairs + per_chunk - 1) / per_chunk, call.options(), 0,
                            [](void* data, int64_t chunk, void*) {
                                const Context& c = *static_cast<Context*>(data);
                                const int64_t first = chunk * per_chunk;
                                const int64_t last =
                                    first + per_chunk < c.n_pairs ? first + per_chunk : c.n_pairs;
                                c.level.pair_scores(c.task, first, last);
                                return true;
                            },
                            &context);
    }
    call.finish(status);
}

}  // namespace

void bind_topk(nb::module_& m) {
    m.def("top_k", &top_k, nb::arg("queries").noconvert(), nb::arg("table").noconvert(),
          nb::arg("table_last"), nb::arg("query_scale").noconvert().none(),
          nb::arg("table_scale").noconvert().none(), nb::arg("exclude_offsets").noconvert().none(),
          nb::arg("exclude_indices").noconvert().none(), nb::arg("candidates").noconvert().none(),
          nb::arg("out_indices").noconvert(), nb::arg("out_scores").noconvert(),
          nb::arg("out_counts").noconvert(), nb::arg("n_threads"),
          "Write the k best rows of table (n_rows, width) for each query (n_queries, width), best first, "
          "ties by index.");
    m.def("pair_scores", &pair_scores, nb::arg("left").noconvert(), nb::arg("right").noconvert(),
          nb::arg("left_last"), nb::arg("right_last"), nb::arg("left_scale").noconvert().none(),
          nb::arg("right_scale").noconvert().none(), nb::arg("left_rows").noconvert(),
          nb::arg("right_rows").noconvert(), nb::arg("out").noconvert(), nb::arg("n_threads"),
          "Write the score of each pair of rows, to the bits that top_k ranks by.");
}

}  // namespace alternant
