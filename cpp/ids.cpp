// Bindings for ids: numbering the distinct labels of a column, finding labels, hashing them.
#include <atomic>

#include "binding.hpp"
#include "factorise.hpp"

namespace alternant {
namespace {

// A column of strings: a list of (offsets int32 | int64 (n + 1), bytes uint8) and (views uint8 (n, 16),
// [uint8 ...]). The list keeps the arrays alive for the length of the call.
class StringColumn {
  public:
    explicit StringColumn(const nb::list& chunks) {
        for (nb::handle piece : chunks) {
            const auto pair = nb::cast<nb::tuple>(piece, false);
            require(pair.size() == 2, "a chunk of strings is (offsets, bytes) or (views, buffers)");
            StringChunk chunk{};
            chunk.first_row = n_rows_;
            In1<int32_t> offsets32;
            In1<int64_t> offsets64;
            if (nb::try_cast(pair[0], offsets32, false)) {
                set_offsets(chunk, StringChunk::Layout::offsets32, offsets32.data(), offsets32.shape(0),
                            pair[1]);
            } else if (nb::try_cast(pair[0], offsets64, false)) {
                set_offsets(chunk, StringChunk::Layout::offsets64, offsets64.data(), offsets64.shape(0),
                            pair[1]);
            } else {
                const auto views = nb::cast<In2<uint8_t>>(pair[0], false);
                require(views.shape(1) == 16, "string views must have 16 bytes each");
                chunk.layout = StringChunk::Layout::views;
                chunk.rows = views.data();
                chunk.n_rows = static_cast<int64_t>(views.shape(0));
                for (nb::handle buffer : nb::cast<nb::list>(pair[1], false))
                    chunk.buffers.push_back(bytes_of(buffer));
            }
            n_rows_ += chunk.n_rows;
            if (chunk.n_rows > 0) chunks_.push_back(std::move(chunk));
        }
    }

    int64_t n_rows() const { return n_rows_; }
    Bytes get(int64_t row) const {
        const StringChunk& chunk = *find(row);
        return chunk.get(row - chunk.first_row);
    }
    void read(int64_t row, int64_t count, Bytes* labels) const {
        auto chunk = find(row);
        for (int64_t i = 0; i < count; ++i, ++row) {
            if (row == chunk->first_row + chunk->n_rows) ++chunk;
            labels[i] = chunk->get(row - chunk->first_row);
        }
    }

  private:
    static Bytes bytes_of(nb::handle array) {
        const auto bytes = nb::cast<In1<uint8_t>>(array, false);
        return {bytes.data(), static_cast<int64_t>(bytes.shape(0))};
    }
    static void set_offsets(StringChunk& chunk, StringChunk::Layout layout, const void* offsets, size_t n,
                            nb::handle bytes) {
        require(n >= 1, "string offsets must have at least one element");
        chunk.layout = layout;
        chunk.rows = offsets;
        chunk.n_rows = static_cast<int64_t>(n) - 1;
        chunk.data = bytes_of(bytes);
    }
    std::vector<StringChunk>::const_iterator find(int64_t row) const {
        return std::upper_bound(chunks_.begin(), chunks_.end(), row,
                                [](int64_t r, const StringChunk& chunk) { return r < chunk.first_row; }) -
               1;
    }

    std::vector<StringChunk> chunks_;
    int64_t n_rows_ = 0;
};

// The labels of an IdMap: int64 (n), or a string column.
struct IntegerLabels {
    explicit IntegerLabels(const In1<int64_t>& labels)
        : data(labels.data()), n(static_cast<int64_t>(labels.shape(0))) {}
    int64_t n_rows() const { return n; }
    int64_t get(int64_t row) const { return data[row]; }
    void read(int64_t row, int64_t count, int64_t* labels) const { std::copy_n(data + row, count, labels); }
    const int64_t* data;
    int64_t n;
};

template <class Label, class Column, class Source>
int64_t factorise_column(const Source& source, const Out1<int32_t>& codes,
                         const Out1<int64_t>& representatives, int n_threads) {
    const Column column(source);
    require(static_cast<int64_t>(codes.shape(0)) == column.n_rows(), "codes must have one element per row");
    require(representatives.shape(0) == codes.shape(0), "representatives must have one element per row");
    Call call(n_threads, std::nullopt);
    int64_t n_distinct = 0;
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = factorise<Label>(
            column.n_rows(), call.options(),
            [&](int64_t row, int64_t count, Label* labels) { column.read(row, count, labels); }, codes.data(),
            representatives.data(), n_distinct);
    }
    call.finish(status);
    return n_distinct;
}

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
    m.def("factorise_integers", &factorise_column<int64_t, IntegerLabels, Integers>,
          nb::arg("labels").noconvert(), nb::arg("codes").noconvert(), nb::arg("representatives").noconvert(),
          nb::arg("n_threads"));
    m.def("factorise_strings", &factorise_column<Bytes, StringColumn, nb::list>, nb::arg("chunks"),
          nb::arg("codes").noconvert(), nb::arg("representatives").noconvert(), nb::arg("n_threads"));
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
