// Ranking and pair scores: checks what the kernels rely on, and deals the work out to threads.
#include <nanobind/stl/optional.h>

#include <atomic>

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

Screen screen_of(int value, int64_t width) {
    require(value >= 0 && value <= 2, "screen must be 0 (float32), 1 (int8, pairs) or 2 (int8, fours)");
    const Screen screen = static_cast<Screen>(value);
    require(kernels().has_screen(screen), "this level does not have that screen");
    require(screen == Screen::float32 || width <= widest_int8, "too many columns for an int8 screen");
    return screen;
}

// Both scales or none, of one length per row.
void check_scales(const Optional1<float>& a, size_t n_a, const Optional1<float>& b, size_t n_b) {
    require(a.has_value() == b.has_value(), "give both scales or none");
    require(!a || (a->size() == n_a && b->size() == n_b), "a scale needs one value per row");
}

void check_rows(const int32_t* rows, int64_t n, int64_t n_rows, const char* message) {
    for (int64_t i = 0; i < n; ++i) require(rows[i] >= 0 && rows[i] < n_rows, message);
}

// Deal chunks of `per_chunk` out of n to threads; body(first, last, scratch) returns false to end the run.
template <class Body>
void deal(int64_t n, int64_t per_chunk, int n_threads, size_t scratch, Body body) {
    struct Context {
        Body& body;
        int64_t n, per_chunk;
    } context{body, n, per_chunk};
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release released;
        status = run_chunks((n + per_chunk - 1) / per_chunk, call.options(), scratch,
                            [](void* data, int64_t chunk, void* memory) {
                                Context& c = *static_cast<Context*>(data);
                                const int64_t first = chunk * c.per_chunk;
                                return c.body(first, first + c.per_chunk < c.n ? first + c.per_chunk : c.n,
                                              memory);
                            },
                            &context);
    }
    call.finish(status);
}

// Few enough queries that every thread has work, that a chunk is short, and that the bits of the rows which
// they exclude stay in the second-level cache, or in 16 MB; enough to pay for the walk over the panels.
int64_t queries_per_chunk(const TopKTask& task, int n_threads) {
    constexpr int64_t tile = 6;
    constexpr double work = 4e9;  // multiply-adds: a fraction of a second
    const int64_t fair = (task.n_queries + n_threads - 1) / n_threads;
    const double per_query = static_cast<double>(task.n) * static_cast<double>(task.width) + 1.0;
    int64_t n = fair < max_queries_per_chunk ? fair : max_queries_per_chunk;
    if (static_cast<double>(n) * per_query > work) n = static_cast<int64_t>(work / per_query);
    if (task.exclude_offsets != nullptr) {
        const int64_t most = (int64_t{16} << 20) / (8 * panels_of(task.n) + 1);
        n = n < most ? n : most;
    }
    n = (n + tile - 1) / tile * tile;
    return n < tile ? tile : n;
}

PackTask pack_task(const In2<float>& table, int table_last, const Optional1<float>& table_scale,
                   const Optional1<int32_t>& order) {
    PackTask task{};
    task.table = table.data();
    task.width = static_cast<int64_t>(table.shape(1));
    task.table_last = last_column(table_last);
    const int64_t n_rows = static_cast<int64_t>(table.shape(0));
    require(n_rows <= INT32_MAX, "table must have fewer than 2**31 rows");
    require(task.width > 0 || task.table_last == LastColumn::stored,
            "a table without columns has no last one");
    task.n = n_rows;
    if (table_scale) {
        require(table_scale->size() == table.shape(0), "a scale needs one value per row");
        task.table_scale = table_scale->data();
    }
    if (order) {
        task.order = order->data();
        task.n = static_cast<int64_t>(order->size());
        check_rows(task.order, task.n, n_rows, "order must hold rows of the table");
    }
    return task;
}

void row_norms(In2<float> table, int table_last, Optional1<float> table_scale, Optional1<int32_t> order,
               Out1<double> out, int n_threads) {
    const PackTask task = pack_task(table, table_last, table_scale, order);
    require(static_cast<int64_t>(out.size()) == task.n, "out must have one value per row");
    const LevelKernels& level = kernels();
    deal(task.n, 4096, n_threads, 0, [&](int64_t first, int64_t last, void*) {
        level.row_norms(task, first, last, out.data());
        return true;
    });
}

void pack_panels(In2<float> table, int table_last, Optional1<float> table_scale, In1<int32_t> order,
                 int screen, Out2<float> rows, Out1<uint8_t> panels, Out2<float> bounds, int n_threads) {
    PackTask task = pack_task(table, table_last, table_scale, order);
    task.screen = screen_of(screen, task.width);
    task.rows = rows.data();
    task.panels = panels.data();
    task.bounds = bounds.data();
    require(static_cast<int64_t>(rows.shape(0)) == task.n && rows.shape(1) == table.shape(1),
            "rows must have room for those of order");
    require(static_cast<int64_t>(panels.size()) == panels_of(task.n) * panel_bytes(task.screen, task.width) &&
                static_cast<int64_t>(bounds.shape(0)) == panels_of(task.n) &&
                static_cast<int64_t>(bounds.shape(1)) == panel_bounds,
            "panels and bounds must have room for all panels");
    const LevelKernels& level = kernels();
    deal(panels_of(task.n), 16, n_threads, level.pack_scratch_bytes(task),
         [&](int64_t first, int64_t last, void* scratch) {
             level.pack_panels(task, first, last, scratch);
             return true;
         });
}

void top_k(In2<float> queries, In2<float> table, int table_last, Optional1<float> query_scale,
           Optional1<float> table_scale, Optional1<int64_t> exclude_offsets,
           Optional1<int32_t> exclude_indices, Optional1<int32_t> exclude_rows, In1<int32_t> order,
           Optional1<int32_t> position, int screen, std::optional<In2<float>> rows, Optional1<uint8_t> panels,
           std::optional<In2<float>> bounds, Out2<int32_t> out_indices, Out2<float> out_scores,
           Out1<int64_t> out_counts, int n_threads) {
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
    task.order = order.data();
    task.n = static_cast<int64_t>(order.size());
    check_rows(task.order, task.n, task.n_rows, "order must hold rows of the table");

    require(exclude_offsets.has_value() == exclude_indices.has_value(), "give both exclude arrays or none");
    require(exclude_offsets || !exclude_rows, "exclude_rows needs the exclude arrays");
    if (exclude_offsets) {
        task.n_exclude = static_cast<int64_t>(exclude_offsets->size()) - 1;
        require(exclude_rows ? task.n_exclude >= 0 : task.n_exclude == task.n_queries,
                "exclude_offsets needs one value per query and one more");
        task.exclude_offsets = exclude_offsets->data();
        task.exclude_indices = exclude_indices->data();
        require(task.exclude_offsets[0] == 0 &&
                    task.exclude_offsets[task.n_exclude] == static_cast<int64_t>(exclude_indices->size()),
                "exclude_offsets must span exclude_indices");
        if (exclude_rows) {
            require(exclude_rows->size() == queries.shape(0), "exclude_rows needs one value per query");
            task.exclude_rows = exclude_rows->data();
            check_rows(task.exclude_rows, task.n_queries, task.n_exclude,
                       "exclude_rows must be rows of exclude_offsets");
        }
        for (int64_t q = 0; q < task.n_queries; ++q) {
            const int64_t r = task.exclude_rows == nullptr ? q : task.exclude_rows[q];
            const int64_t begin = task.exclude_offsets[r], end = task.exclude_offsets[r + 1];
            require(begin >= 0 && begin <= end, "exclude_offsets must not fall");
            require(end <= static_cast<int64_t>(exclude_indices->size()), "exclude_offsets must not fall");
        }
        require(position && static_cast<int64_t>(position->size()) == task.n_rows,
                "position needs one value per row of the table");
        task.position = position->data();
        for (int64_t i = 0; i < task.n_rows; ++i) {
            require(task.position[i] < task.n, "position must lie within order");
        }
    }
    task.screen = screen_of(screen, task.width);
    require(panels.has_value() == bounds.has_value() && panels.has_value() == rows.has_value(),
            "give all of rows, panels and bounds or none");
    if (panels) {
        task.rows = rows->data();
        require(static_cast<int64_t>(rows->shape(0)) == task.n && rows->shape(1) == table.shape(1),
                "rows must be those of order");
        task.panels = panels->data();
        task.bounds = bounds->data();
        require(static_cast<int64_t>(panels->size()) ==
                        panels_of(task.n) * panel_bytes(task.screen, task.width) &&
                    static_cast<int64_t>(bounds->shape(0)) == panels_of(task.n) &&
                    static_cast<int64_t>(bounds->shape(1)) == panel_bounds,
                "panels and bounds must be those of order");
    }
    task.k = static_cast<int64_t>(out_scores.shape(1));
    require(task.k <= task.n, "k must be at most the number of candidates");
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
    const LevelKernels& level = kernels();
    const int64_t per_chunk = queries_per_chunk(task, n_threads);
    std::atomic<bool> is_good{true};
    deal(task.n_queries, per_chunk, n_threads, level.topk_scratch_bytes(task, per_chunk),
         [&](int64_t first, int64_t last, void* scratch) {
             if (!level.top_k(task, first, last, per_chunk, scratch)) is_good = false;
             return is_good.load();
         });
    require(is_good, "exclude_indices must be in range and ascending within a query");
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
    check_rows(task.left_rows, n_pairs, static_cast<int64_t>(left.shape(0)), "left_rows out of range");
    check_rows(task.right_rows, n_pairs, static_cast<int64_t>(right.shape(0)), "right_rows out of range");
    const LevelKernels& level = kernels();
    deal(n_pairs, 4096, n_threads, 0, [&](int64_t first, int64_t last, void*) {
        level.pair_scores(task, first, last);
        return true;
    });
}

bool has_screen(int screen) {
    require(screen >= 0 && screen <= 2, "screen must be 0 (float32), 1 (int8, pairs) or 2 (int8, fours)");
    return kernels().has_screen(static_cast<Screen>(screen));
}

}  // namespace

void bind_topk(nb::module_& m) {
    m.def("has_screen", &has_screen, nb::arg("screen"), "Tell whether the level in use has a screen.");
    m.def("row_norms", &row_norms, nb::arg("table").noconvert(), nb::arg("table_last"),
          nb::arg("table_scale").noconvert().none(), nb::arg("order").noconvert().none(),
          nb::arg("out").noconvert(), nb::arg("n_threads"),
          "Write the Euclidean norm of each row as it is scored; infinity where it cannot be bounded.");
    m.def("pack_panels", &pack_panels, nb::arg("table").noconvert(), nb::arg("table_last"),
          nb::arg("table_scale").noconvert().none(), nb::arg("order").noconvert(), nb::arg("screen"),
          nb::arg("rows").noconvert(), nb::arg("panels").noconvert(), nb::arg("bounds").noconvert(),
          nb::arg("n_threads"),
          "Pack rows in the given order, falling norms, for a screen: 64 rows and 4 bounds a panel.");
    m.def("top_k", &top_k, nb::arg("queries").noconvert(), nb::arg("table").noconvert(),
          nb::arg("table_last"), nb::arg("query_scale").noconvert().none(),
          nb::arg("table_scale").noconvert().none(), nb::arg("exclude_offsets").noconvert().none(),
          nb::arg("exclude_indices").noconvert().none(), nb::arg("exclude_rows").noconvert().none(),
          nb::arg("order").noconvert(), nb::arg("position").noconvert().none(), nb::arg("screen"),
          nb::arg("rows").noconvert().none(), nb::arg("panels").noconvert().none(),
          nb::arg("bounds").noconvert().none(), nb::arg("out_indices").noconvert(),
          nb::arg("out_scores").noconvert(), nb::arg("out_counts").noconvert(), nb::arg("n_threads"),
          "Write the k best rows of table (n_rows, width) for each query (n_queries, width), best first, "
          "ties by index.");
    m.def("pair_scores", &pair_scores, nb::arg("left").noconvert(), nb::arg("right").noconvert(),
          nb::arg("left_last"), nb::arg("right_last"), nb::arg("left_scale").noconvert().none(),
          nb::arg("right_scale").noconvert().none(), nb::arg("left_rows").noconvert(),
          nb::arg("right_rows").noconvert(), nb::arg("out").noconvert(), nb::arg("n_threads"),
          "Write the score of each pair of rows, to the bits that top_k ranks by.");
}

}  // namespace alternant
