// Bindings for compressed sparse rows: sorting entries by (row, column), transposing, checking.
#include "binding.hpp"
#include "bucket_sort.hpp"

namespace alternant {
namespace {

constexpr int64_t entries_per_chunk = 1 << 18;

using AnyIn = nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using AnyOut = nb::ndarray<nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// A list of (from (n), to (n)): arrays of one dtype of 4 or 8 bytes. The list keeps them alive.
std::vector<Carried> carried_of(const nb::list& pairs, size_t n) {
    std::vector<Carried> carried;
    for (nb::handle item : pairs) {
        const auto pair = nb::cast<nb::tuple>(item, false);
        require(pair.size() == 2, "what is carried comes as (from, to)");
        const auto from = nb::cast<AnyIn>(pair[0], false);
        const auto to = nb::cast<AnyOut>(pair[1], false);
        require(from.shape(0) == n && to.shape(0) == n, "what is carried must have one element per entry");
        require(from.dtype() == to.dtype() && (from.itemsize() == 4 || from.itemsize() == 8),
                "what is carried must be of one dtype, of 4 or 8 bytes");
        carried.push_back({static_cast<const uint8_t*>(from.data()), static_cast<uint8_t*>(to.data()),
                           static_cast<int64_t>(from.itemsize())});
    }
    return carried;
}

// Whether entries lie in range, and whether they are sorted by row, then column; n_repeats for those that
// are.
RunStatus look_at_entries(const int32_t* rows, const int32_t* columns, int64_t n, int64_t n_rows,
                          int64_t n_columns, const RunOptions& options, bool& is_sorted, int64_t& n_repeats) {
    std::atomic<bool> sorted{true};
    std::atomic<int64_t> repeats{0};
    const RunStatus status = run_each(chunks_of(n, entries_per_chunk), options, [&](int64_t chunk) {
        const Span span = span_of(chunk, entries_per_chunk, n);
        int32_t low_row = 0, high_row = -1, low_column = 0, high_column = -1;
        for (int64_t e = span.begin; e < span.end; ++e) {
            low_row = std::min(low_row, rows[e]);
            high_row = std::max(high_row, rows[e]);
            low_column = std::min(low_column, columns[e]);
            high_column = std::max(high_column, columns[e]);
        }
        require(low_row >= 0 && high_row < n_rows, "rows must lie in [0, n_rows)");
        require(low_column >= 0 && high_column < n_columns, "columns must lie in [0, n_columns)");
        int64_t here = 0;
        for (int64_t e = std::max<int64_t>(span.begin, 1); e < span.end && sorted; ++e) {
            if (rows[e] < rows[e - 1] || (rows[e] == rows[e - 1] && columns[e] < columns[e - 1]))
                sorted = false;
            here += rows[e] == rows[e - 1] && columns[e] == columns[e - 1];
        }
        repeats += here;
    });
    is_sorted = sorted;
    n_repeats = repeats;
    return status;
}

// Rows of entries that are sorted already: copied as they are.
RunStatus copy_sorted(const SortedRows& sorted, const int32_t* rows, const int32_t* columns,
                      const RunOptions& options) {
    const int64_t n = sorted.n;
    return run_each(chunks_of(n, entries_per_chunk) + 1, options, [&](int64_t chunk) {
        const Span span = span_of(chunk, entries_per_chunk, n);
        const int64_t begin = std::min(span.begin, n), size = std::max<int64_t>(span.end - begin, 0);
        std::copy_n(columns + begin, size, sorted.indices + begin);
        for (const Carried& carried : sorted.carried) {
            std::memcpy(carried.to + begin * carried.bytes, carried.from + begin * carried.bytes,
                        static_cast<size_t>(size * carried.bytes));
        }
        // An entry ends the rows from that of the entry before up to its own; the last chunk, empty or not,
        // the rest.
        for (int64_t e = begin; e < begin + size; ++e) {
            for (int64_t row = e == 0 ? -1 : rows[e - 1]; row < rows[e]; ++row) sorted.offsets[row + 1] = e;
        }
        if (chunk == chunks_of(n, entries_per_chunk)) {
            for (int64_t row = n == 0 ? -1 : rows[n - 1]; row < sorted.n_keys; ++row)
                sorted.offsets[row + 1] = n;
        }
    });
}

// Sort entries (rows[e], columns[e]) by row, then column, then e. Writes offsets (n_rows + 1), indices (n):
// the columns, and what is carried. Returns the number of entries that repeat the one before.
int64_t sort_entries(const In1<int32_t>& rows, const In1<int32_t>& columns, int64_t n_columns,
                     const Out1<int64_t>& offsets, const Out1<int32_t>& indices, const nb::list& carried,
                     int n_threads) {
    require(columns.shape(0) == rows.shape(0) && indices.shape(0) == rows.shape(0),
            "rows, columns and indices must have the same length");
    require(offsets.shape(0) >= 1, "offsets must have n_rows + 1 elements");
    const auto n = static_cast<int64_t>(rows.shape(0)), n_rows = static_cast<int64_t>(offsets.shape(0)) - 1;
    const SortedRows sorted{n, n_rows, offsets.data(), indices.data(), carried_of(carried, rows.shape(0))};
    Call call(n_threads, std::nullopt);
    int64_t n_repeats = 0;
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        bool is_sorted = false;
        status = look_at_entries(rows.data(), columns.data(), n, n_rows, n_columns, call.options(), is_sorted,
                                 n_repeats);
        if (status == RunStatus::done && is_sorted) {
            status = copy_sorted(sorted, rows.data(), columns.data(), call.options());
        } else if (status == RunStatus::done) {
            status = bucket_sort(
                sorted, call.options(),
                [&](int64_t begin, int64_t end, auto each) {
                    for (int64_t e = begin; e < end; ++e) each(e, rows.data()[e], columns.data()[e]);
                },
                true, n_repeats);
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

// Transpose sorted rows. Writes offsets (n_columns + 1), indices (n): the rows, and what is carried.
void transpose(const In1<int64_t>& offsets, const In1<int32_t>& indices, const Out1<int64_t>& out_offsets,
               const Out1<int32_t>& out_indices, const nb::list& carried, int n_threads) {
    require(out_offsets.shape(0) >= 1, "out_offsets must have n_columns + 1 elements");
    const auto n_columns = static_cast<int64_t>(out_offsets.shape(0)) - 1;
    require(out_indices.shape(0) == indices.shape(0), "indices and out_indices must have the same length");
    require(offsets.shape(0) <= size_t{1} << 31, "rows must be countable in 31 bits");
    require(check_rows(offsets, indices, n_columns) == -1,
            "rows must be sorted, without duplicates and in range");
    const auto n = static_cast<int64_t>(indices.shape(0)),
               n_rows = static_cast<int64_t>(offsets.shape(0)) - 1;
    const SortedRows sorted{n, n_columns, out_offsets.data(), out_indices.data(),
                            carried_of(carried, indices.shape(0))};
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        const int64_t* ends = offsets.data();
        int64_t n_repeats = 0;
        status = bucket_sort(
            sorted, call.options(),
            [&](int64_t begin, int64_t end, auto each) {
                int64_t row = std::upper_bound(ends, ends + n_rows + 1, begin) - ends - 1;
                for (int64_t e = begin; e < end; ++row) {
                    for (const int64_t stop = std::min(ends[row + 1], end); e < stop; ++e)
                        each(e, indices.data()[e], static_cast<int32_t>(row));
                }
            },
            false, n_repeats);
    }
    call.finish(status);
}

}  // namespace

void bind_csr(nb::module_& m) {
    m.def("sort_entries", &sort_entries, nb::arg("rows").noconvert(), nb::arg("columns").noconvert(),
          nb::arg("n_columns"), nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("carried"), nb::arg("n_threads"));
    m.def("check_rows", &check_rows, nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("n_columns"));
    m.def("transpose", &transpose, nb::arg("offsets").noconvert(), nb::arg("indices").noconvert(),
          nb::arg("out_offsets").noconvert(), nb::arg("out_indices").noconvert(), nb::arg("carried"),
          nb::arg("n_threads"));
}

}  // namespace alternant
