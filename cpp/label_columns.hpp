// Columns of labels as bindings take them: chunks of strings in Arrow's layouts, or an array of integers.
#pragma once

#include <algorithm>

#include "binding.hpp"
#include "labels.hpp"

namespace alternant {

// A column of strings: a list of (offsets int32 | int64 (n + 1), bytes uint8) and (views uint8 (n, 16),
// [uint8 ...]). The list keeps the arrays alive for the length of the call.
class StringColumn {
  public:
    // `row` is what messages call its first row.
    explicit StringColumn(const nb::list& chunks, int64_t row = 0) : row_(row) {
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
        return chunk.get(row - chunk.first_row, row_);
    }
    void read(int64_t row, int64_t count, Bytes* labels) const {
        auto chunk = find(row);
        for (int64_t i = 0; i < count; ++i, ++row) {
            if (row == chunk->first_row + chunk->n_rows) ++chunk;
            labels[i] = chunk->get(row - chunk->first_row, row_);
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
    int64_t row_;
};

// The labels of an IdMap: int64 (n), or a string column.
template <class T>
struct IntegerArray {
    explicit IntegerArray(const In1<T>& labels)
        : data(labels.data()), n(static_cast<int64_t>(labels.shape(0))) {}
    int64_t n_rows() const { return n; }
    int64_t get(int64_t row) const { return data[row]; }
    void read(int64_t row, int64_t count, int64_t* labels) const { std::copy_n(data + row, count, labels); }
    const T* data;
    int64_t n;
};
using IntegerLabels = IntegerArray<int64_t>;

}  // namespace alternant
