// Bindings for labels: hashing them, an index to find them by, copying strings. Numbering is in
// numbering.cpp.
#include <atomic>

#include "label_columns.hpp"
#include "label_table.hpp"
#include "run_each.hpp"

namespace alternant {
namespace {

constexpr int64_t rows_per_chunk = 1 << 17;

// Write the hash of each row's label.
template <class Column, class Source>
void hash_column(const Source& source, const Out1<uint64_t>& hashes, int n_threads) {
    const Column column(source);
    require(static_cast<int64_t>(hashes.shape(0)) == column.n_rows(), "hashes must have one element per row");
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_each(chunks_of(column.n_rows(), rows_per_chunk), call.options(), [&](int64_t chunk) {
            const Span span = span_of(chunk, rows_per_chunk, column.n_rows());
            for (int64_t row = span.begin; row < span.end; ++row)
                hashes.data()[row] = hash_label(column.get(row));
        });
    }
    call.finish(status);
}

uint64_t slot_mask(size_t n_slots, int64_t n_labels) {
    require(n_labels <= max_labels, "more than 2147483647 labels");
    require(n_slots > static_cast<size_t>(n_labels) && (n_slots & (n_slots - 1)) == 0,
            "slots must be a power of two greater than the number of labels");
    return n_slots - 1;
}

// Fill the slots of a hash table over the labels. Returns the first row whose label came before, or -1.
template <class Column, class Source>
int64_t index_column(const Source& source, const Out1<uint64_t>& slots) {
    const Column column(source);
    const uint64_t mask = slot_mask(slots.shape(0), column.n_rows());
    const nb::gil_scoped_release release;
    std::fill_n(slots.data(), slots.shape(0), uint64_t{0});
    for (int64_t row = 0; row < column.n_rows(); ++row) {
        const auto label = column.get(row);
        const uint64_t hash = hash_label(label);
        uint64_t slot;
        const int64_t found = probe(slots.data(), mask, hash, slot,
                                    [&](int64_t position) { return column.get(position) == label; });
        if (found >= 0) return row;
        slots.data()[slot] = slot_entry(hash, row);
    }
    return -1;
}

// Write the position of each query among the labels, -1 where there is none. Returns the number of -1.
template <class Column, class Source>
int64_t find_column(const Source& queries, const Source& labels, const In1<uint64_t>& slots,
                    const Out1<int32_t>& positions, int n_threads) {
    const Column wanted(queries), known(labels);
    const uint64_t mask = slot_mask(slots.shape(0), known.n_rows());
    require(static_cast<int64_t>(positions.shape(0)) == wanted.n_rows(),
            "positions must have one element per query");
    Call call(n_threads, std::nullopt);
    std::atomic<int64_t> n_unknown{0};
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_each(chunks_of(wanted.n_rows(), rows_per_chunk), call.options(), [&](int64_t chunk) {
            const Span span = span_of(chunk, rows_per_chunk, wanted.n_rows());
            int64_t n_here = 0;
            for (int64_t row = span.begin; row < span.end; ++row) {
                const auto label = wanted.get(row);
                uint64_t slot;
                const int64_t found =
                    probe(slots.data(), mask, hash_label(label), slot, [&](int64_t position) {
                        return position < known.n_rows() && known.get(position) == label;
                    });
                positions.data()[row] = static_cast<int32_t>(found);
                n_here += found < 0;
            }
            n_unknown += n_here;
        });
    }
    call.finish(status);
    return n_unknown;
}

// Write the ends of the strings of `rows`, laid one after the other: offsets (n + 1), offsets[0] = 0.
void string_offsets(const nb::list& chunks, const In1<int64_t>& rows, const Out1<int64_t>& offsets) {
    const StringColumn column(chunks);
    require(offsets.shape(0) == rows.shape(0) + 1, "offsets must have one element more than rows");
    const nb::gil_scoped_release release;
    int64_t end = 0;
    offsets.data()[0] = 0;
    for (size_t i = 0; i < rows.shape(0); ++i) {
        const int64_t row = rows.data()[i];
        require(row >= 0 && row < column.n_rows(), "rows must lie inside the column");
        end += column.get(row).size;
        offsets.data()[i + 1] = end;
    }
}

// Copy the strings of `rows` one after the other into bytes, whose size is what string_offsets ended with.
void copy_strings(const nb::list& chunks, const In1<int64_t>& rows, const Out1<uint8_t>& bytes) {
    const StringColumn column(chunks);
    const nb::gil_scoped_release release;
    int64_t end = 0;
    for (size_t i = 0; i < rows.shape(0); ++i) {
        const int64_t row = rows.data()[i];
        require(row >= 0 && row < column.n_rows(), "rows must lie inside the column");
        const Bytes label = column.get(row);
        require(end + label.size <= static_cast<int64_t>(bytes.shape(0)),
                "bytes is too small for the strings");
        std::copy_n(label.data, label.size, bytes.data() + end);
        end += label.size;
    }
}

}  // namespace

void bind_ids(nb::module_& m) {
    using Integers = In1<int64_t>;
    m.def("hash_integers", &hash_column<IntegerLabels, Integers>, nb::arg("labels").noconvert(),
          nb::arg("hashes").noconvert(), nb::arg("n_threads"));
    m.def("hash_strings", &hash_column<StringColumn, nb::list>, nb::arg("chunks"),
          nb::arg("hashes").noconvert(), nb::arg("n_threads"));
    m.def("index_integers", &index_column<IntegerLabels, Integers>, nb::arg("labels").noconvert(),
          nb::arg("slots").noconvert());
    m.def("index_strings", &index_column<StringColumn, nb::list>, nb::arg("chunks"),
          nb::arg("slots").noconvert());
    m.def("find_integers", &find_column<IntegerLabels, Integers>, nb::arg("queries").noconvert(),
          nb::arg("labels").noconvert(), nb::arg("slots").noconvert(), nb::arg("positions").noconvert(),
          nb::arg("n_threads"));
    m.def("find_strings", &find_column<StringColumn, nb::list>, nb::arg("queries"), nb::arg("labels"),
          nb::arg("slots").noconvert(), nb::arg("positions").noconvert(), nb::arg("n_threads"));
    m.def("string_offsets", &string_offsets, nb::arg("chunks"), nb::arg("rows").noconvert(),
          nb::arg("offsets").noconvert());
    m.def("copy_strings", &copy_strings, nb::arg("chunks"), nb::arg("rows").noconvert(),
          nb::arg("bytes").noconvert());
}

}  // namespace alternant
