// Bindings for compressed sparse rows: sorting entries by (row, column), transposing, gathering, checking.
//
// Threads share the work by ranges of keys: each reads all entries and keeps those of its range, so that the
// order is the stable one whatever the number of threads.
#include <algorithm>
#include <atomic>
#include <vector>

#include "binding.hpp"
#include "run_each.hpp"

namespace alternant {
namespace {

constexpr int64_t entries_per_chunk = 1 << 18;

// Bounds (n_parts + 1) of ranges of rows with about the same number of entries.
std::vector<int64_t> balanced_parts(const int64_t* offsets, int64_t n_rows, int64_t n_parts) {
    std::vector<int64_t> bounds(static_cast<size_t>(n_parts) + 1, n_rows);
    bounds[0] = 0;
    const int64_t n = offsets[n_rows];
    for (int64_t part = 1; part < n_parts; ++part) {
        const int64_t target = n / n_parts * part;
        bounds[static_cast<size_t>(part)] = std::lower_bound(offsets, offsets + n_rows, target) - offsets;
    }
    return bounds;
}

// offsets (n_keys + 1) of the counting sort of keys (n), which the caller has checked to lie in [0, n_keys).
RunStatus count_keys(const int32_t* keys, int64_t n, int64_t n_keys, int64_t* offsets,
                     const RunOptions& options) {
    std::fill_n(offsets, n_keys + 1, int64_t{0});
    const int64_t n_parts = n < entries_per_chunk ? 1 : options.n_threads;
    const int64_t size = std::max<int64_t>(chunks_of(n_keys, n_parts), 1);
    const RunStatus status = run_each(n_parts, options, [&](int64_t part) {
        const int64_t begin = part * size, end = std::min(begin + size, n_keys);
        for (int64_t e = 0; e < n; ++e) {
            if (keys[e] >= begin && keys[e] < end) ++offsets[keys[e] + 1];
        }
    });
    for (int64_t key = 0; key < n_keys; ++key) offsets[key + 1] += offsets[key];
    return status;
}

bool all_below(const int32_t* keys, int64_t n, int64_t n_keys) {
    int32_t low = 0, high = -1;
    for (int64_t e = 0; e < n; ++e) {
        low = std::min(low, keys[e]);
        high = std::max(high, keys[e]);
    }
    return low >= 0 && high < n_keys;
}

// Sort one row by column, equal columns by position. Returns the number of entries that repeat the column
// before.
int64_t sort_row(int32_t* columns, int64_t* order, int64_t n,
                 std::vector<std::pair<int32_t, int64_t>>& pairs) {
    if (!std::is_sorted(columns, columns + n)) {
        pairs.resize(static_cast<size_t>(n));
        for (int64_t e = 0; e < n; ++e) pairs[static_cast<size_t>(e)] = {columns[e], order[e]};
        std::sort(pairs.begin(), pairs.end());
        for (int64_t e = 0; e < n; ++e) {
            columns[e] = pairs[static_cast<size_t>(e)].first;
            order[e] = pairs[static_cast<size_t>(e)].second;
        }
    }
    int64_t n_repeats = 0;
    for (int64_t e = 1; e < n; ++e) n_repeats += columns[e] == columns[e - 1];
    return n_repeats;
}

// Sort entries (rows[e], columns[e]) by row, then column, then e. Writes offsets (n_rows + 1), indices (n):
// the columns, order (n): where each came from. Returns the number of entries that repeat the one before.
int64_t sort_entries(const In1<int32_t>& rows, const In1<int32_t>& columns, int64_t n_columns,
                     const Out1<int64_t>& offsets, const Out1<int32_t>& indices, const Out1<int64_t>& order,
                     int n_threads) {
    const auto n = static_cast<int64_t>(rows.shape(0));
    require(columns.shape(0) == rows.shape(0) && indices.shape(0) == rows.shape(0) &&
                order.shape(0) == rows.shape(0),
            "rows, columns, indices and order must have the same length");
    require(offsets.shape(0) >= 1, "offsets must have n_rows + 1 elements");
    const auto n_rows = static_cast<int64_t>(offsets.shape(0)) - 1;
    require(all_below(rows.data(), n, n_rows), "rows must lie in [0, n_rows)");
    require(all_below(columns.data(), n, n_columns), "columns must lie in [0, n_columns)");
    Call call(n_threads, std::nullopt);
    std::atomic<int64_t> n_repeats{0};
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = count_keys(rows.data(), n, n_rows, offsets.data(), call.options());
        const int64_t n_parts = n < entries_per_chunk ? 1 : call.options().n_threads;
        const auto bounds = balanced_parts(offsets.data(), n_rows, n_parts);
        std::vector<int64_t> next(offsets.data(), offsets.data() + n_rows);
        if (status == RunStatus::done) {
            status = run_each(n_parts, call.options(), [&](int64_t part) {
                const int64_t begin = bounds[static_cast<size_t>(part)],
                              end = bounds[static_cast<size_t>(part) + 1];
                for (int64_t e = 0; e < n; ++e) {
                    const int32_t row = rows.data()[e];
                    if (row < begin || row >= end) continue;
                    const int64_t place = next[static_cast<size_t>(row)]++;
                    indices.data()[place] = columns.data()[e];
                    order.data()[place] = e;
                }
            });
        }
        if (status == RunStatus::done) {
            constexpr int64_t rows_a_chunk = 1024;
            status = run_each(chunks_of(n_rows, rows_a_chunk), call.options(), [&](int64_t chunk) {
                std::vector<std::pair<int32_t, int64_t>> pairs;
                int64_t n_here = 0;
                const Span span = span_of(chunk, rows_a_chunk, n_rows);
                for (int64_t row = span.begin; row < span.end; ++row) {
                    const int64_t begin = offsets.data()[row];
                    n_here += sort_row(indices.data() + begin, order.data() + begin,
                                       offsets.data()[row + 1] - begin, pairs);
                }
                n_repeats += n_here;
            });
        }
    }
    call.finish(status);
    return n_repeats;
}

// The first row whose offsets or indices are not those of a sorted row without duplicates, n_rows for offsets
// that do not cover the indices, or -1.
int64_t check_rows(const In1<int64_t>& offsets, const In1<int32_t>& indices, int64_t n_columns) {
    require(offsets.shape(0) >= 1, "offsets must have n_rows + 1 elements");
    const auto n_rows = static_cast<int64_t>(offsets.shape(0)) - 1;
    const auto n = static_cast<int64_t>(indices.shape(0));
    const int64_t* ends = offsets.data();
    const nb::gil_scoped_release release;
    if (ends[0] != 0) return 0;
    for (int64_t row = 0; row < n_rows; ++row) {
        if (ends[row + 1] < ends[row] || ends[row + 1] > n) return row;
        int64_t previous = -1;
        for (int64_t e = ends[row]; e < ends[row + 1]; ++e) {
            const int64_t column = indices.data()[e];
            if (column <= previous || column >= n_columns) return row;
            previous = column;
        }
    }
    return ends[n_rows] == n ? -1 : n_rows;
}

// Transpose sorted rows. Writes offsets (n_columns + 1), indices (n): the rows, order (n): where each came
// from.
void transpose(const In1<int64_t>& offsets, const In1<int32_t>& indices, const Out1<int64_t>& out_offsets,
               const Out1<int32_t>& out_indices, const Out1<int64_t>& out_order, int n_threads) {
    require(out_offsets.shape(0) >= 1, "out_offsets must have n_columns + 1 elements");
    const auto n_columns = static_cast<int64_t>(out_offsets.shape(0)) - 1;
    const auto n = static_cast<int64_t>(indices.shape(0));
    require(out_indices.shape(0) == indices.shape(0) && out_order.shape(0) == indices.shape(0),
            "indices, out_indices and out_order must have the same length");
    require(offsets.shape(0) <= size_t{1} << 31, "rows must be countable in 31 bits");
    require(check_rows(offsets, indices, n_columns) == -1,
            "rows must be sorted, without duplicates and in range");
    const auto n_rows = static_cast<int64_t>(offsets.shape(0)) - 1;
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = count_keys(indices.data(), n, n_columns, out_offsets.data(), call.options());
        const int64_t n_parts = n < entries_per_chunk ? 1 : call.options().n_threads;
        const auto bounds = balanced_parts(out_offsets.data(), n_columns, n_parts);
        std::vector<int64_t> next(out_offsets.data(), out_offsets.data() + n_columns);
        if (status == RunStatus::done) {
            status = run_each(n_parts, call.options(), [&](int64_t part) {
                const int64_t begin = bounds[static_cast<size_t>(part)],
                              end = bounds[static_cast<size_t>(part) + 1];
                for (int64_t row = 0; row < n_rows; ++row) {
                    for (int64_t e = offsets.data()[row]; e < offsets.data()[row + 1]; ++e) {
                        const int32_t column = indices.data()[e];
                        if (column < begin || column >= end) continue;
                        const int64_t place = next[static_cast<size_t>(column)]++;
                        out_indices.data()[place] = static_cast<int32_t>(row);
                        out_order.data()[place] = e;
                    }
                }
            });
        }
    }
    call.finish(status);
}

// out[i] = values[order[i]]
template <class T>
void gather(const In1<T>& values, const In1<int64_t>& order, const Out1<T>& out, int n_threads) {
    require(out.shape(0) == order.shape(0), "out must have one element per element of order");
    const auto n = static_cast<int64_t>(order.shape(0)), n_values = static_cast<int64_t>(values.shape(0));
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_each(chunks_of(n, entries_per_chunk), call.options(), [&](int64_t chunk) {
            const Span span = span_of(chunk, entries_per_chunk, n);
            for (int64_t i = span.begin; i < span.end; ++i) {
                const int64_t from = order.data()[i];
                require(from >= 0 && from < n_values, "order must lie inside values");
                out.data()[i] = values.data()[from];
            }
        });
    }
    call.finish(status);
}

}  // namespace

void bind_csr(nb::module_& m) {
    m.def("sort_entries", &sort_entries, nb::arg("rows").noconvert(), nb::arg("columns").noconvert(),
          nb::arg("n_columns"), nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("order").noconvert(), nb::arg("n_threads"));
    m.def("check_rows", &check_rows, nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("n_columns"));
    m.def("transpose", &transpose, nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("out_offsets").noconvert(), nb::arg("out_indices").noconvert(),
          nb::arg("out_order").noconvert(), nb::arg("n_threads"));
    m.def("gather_float32", &gather<float>, nb::arg("values").noconvert(), nb::arg("order").noconvert(),
          nb::arg("out").noconvert(), nb::arg("n_threads"));
    m.def("gather_int64", &gather<int64_t>, nb::arg("values").noconvert(), nb::arg("order").noconvert(),
          nb::arg("out").noconvert(), nb::arg("n_threads"));
}

}  // namespace alternant
