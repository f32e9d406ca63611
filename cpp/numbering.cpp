// Bindings that number the distinct labels of columns: strings as they stream by, integers of an array.
#include <deque>

#include "label_columns.hpp"
#include "numbering.hpp"

namespace alternant {
namespace {

constexpr int64_t rows_per_chunk = 1 << 17;

// Number `n_columns` columns of strings that come in pieces.
//
// next_piece() returns None at the end, else for each column (chunks, nulls bool (n) | None, codes int32
// (n)), alive and unchanged until the next call; codes gets provisional numbers. allocate(column, n_distinct,
// n_bytes, n_numbers) returns offsets int64 (n_distinct + 1), bytes uint8 (n_bytes) for the sorted labels and
// rank int32 (n_numbers): what `translate` makes the codes of.
void number_strings(int n_columns, const nb::callable& next_piece, const nb::callable& allocate,
                    int n_threads) {
    require(n_columns >= 0, "n_columns must not be negative");
    std::deque<Numbering<Bytes>> columns(static_cast<size_t>(n_columns));
    Call call(n_threads, std::nullopt);
    for (int64_t first_row = 0;;) {
        const nb::object piece = next_piece();
        if (piece.is_none()) break;
        const auto parts = nb::cast<nb::list>(piece, false);
        require(parts.size() == columns.size(), "a piece must have one part per column");
        int64_t n = 0;
        for (size_t c = 0; c < columns.size(); ++c) {
            const auto part = nb::cast<nb::tuple>(parts[c], false);
            require(part.size() == 3, "a part of a piece is (chunks, nulls, codes)");
            const StringColumn column(nb::cast<nb::list>(part[0], false), first_row);
            const auto codes = nb::cast<Out1<int32_t>>(part[2], false);
            n = column.n_rows();
            require(static_cast<int64_t>(codes.shape(0)) == n, "codes must have one element per row");
            const bool* nulls = nullptr;
            if (!part[1].is_none()) {
                const auto given = nb::cast<In1<bool>>(part[1], false);
                require(given.shape(0) == codes.shape(0), "nulls must have one element per row");
                nulls = given.data();
            }
            RunStatus status;
            {
                const nb::gil_scoped_release release;
                status = columns[c].add(
                    n, nulls, codes.data(), call.options(),
                    [&](int64_t row, int64_t count, Bytes* labels) { column.read(row, count, labels); });
            }
            call.finish(status);
        }
        first_row += n;
    }
    for (int c = 0; c < n_columns; ++c) {
        auto& column = columns.front();
        std::vector<int64_t> ends;
        RunStatus status;
        {
            const nb::gil_scoped_release release;
            status = column.sort(call.options());
            ends.resize(static_cast<size_t>(column.n_distinct()) + 1);
            if (status == RunStatus::done) {
                status = column.each_sorted(call.options(), [&](int64_t i, const Bytes& label, int32_t) {
                    ends[static_cast<size_t>(i) + 1] = label.size;
                });
            }
            std::partial_sum(ends.begin(), ends.end(), ends.begin());
        }
        call.finish(status);
        const auto arrays = nb::cast<nb::tuple>(
            allocate(c, column.n_distinct(), ends.back(), column.end_of_numbers()), false);
        require(arrays.size() == 3, "allocate must return offsets, bytes and rank");
        const auto offsets = nb::cast<Out1<int64_t>>(arrays[0], false);
        const auto bytes = nb::cast<Out1<uint8_t>>(arrays[1], false);
        const auto rank = nb::cast<Out1<int32_t>>(arrays[2], false);
        require(offsets.shape(0) == ends.size() && static_cast<int64_t>(bytes.shape(0)) == ends.back() &&
                    static_cast<int64_t>(rank.shape(0)) == column.end_of_numbers(),
                "offsets, bytes and rank must have the sizes that were asked for");
        {
            const nb::gil_scoped_release release;
            std::copy(ends.begin(), ends.end(), offsets.data());
            std::fill_n(rank.data(), rank.shape(0), 0);
            status = column.each_sorted(call.options(), [&](int64_t i, const Bytes& label, int32_t number) {
                std::copy_n(label.data, label.size, bytes.data() + ends[static_cast<size_t>(i)]);
                rank.data()[number] = static_cast<int32_t>(i);
            });
            columns.pop_front();
        }
        call.finish(status);
    }
}

// The smallest and the largest label.
template <class T>
RunStatus range_of(const T* labels, int64_t n, const RunOptions& options, int64_t& low, int64_t& high) {
    std::vector<std::pair<T, T>> ranges(static_cast<size_t>(chunks_of(n, rows_per_chunk)));
    const RunStatus status = run_each(chunks_of(n, rows_per_chunk), options, [&](int64_t chunk) {
        const Span span = span_of(chunk, rows_per_chunk, n);
        T least = labels[span.begin], most = labels[span.begin];
        for (int64_t row = span.begin; row < span.end; ++row) {
            least = std::min(least, labels[row]);
            most = std::max(most, labels[row]);
        }
        ranges[static_cast<size_t>(chunk)] = {least, most};
    });
    low = n > 0 ? ranges[0].first : 0;
    high = n > 0 ? ranges[0].second : -1;
    for (const auto& range : ranges) {
        low = std::min<int64_t>(low, range.first);
        high = std::max<int64_t>(high, range.second);
    }
    return status;
}

// Number labels in [low, low + 64 · words): a bit for each that occurs, and the number of bits before each
// word.
template <class T>
RunStatus number_by_bits(const T* labels, int64_t n, int64_t low, size_t words, int32_t* codes,
                         const RunOptions& options, std::vector<int64_t>& distinct) {
    const HugeMemory memory = huge_memory(8 * words), before_memory = huge_memory(4 * words);
    auto* bits = reinterpret_cast<uint64_t*>(memory.get());
    auto* before = reinterpret_cast<int32_t*>(before_memory.get());
    std::fill_n(bits, words, uint64_t{0});
    const auto place = [&](int64_t row) {
        return static_cast<uint64_t>(static_cast<int64_t>(labels[row])) - static_cast<uint64_t>(low);
    };
    RunStatus status = run_each(chunks_of(n, rows_per_chunk), options, [&](int64_t chunk) {
        const Span span = span_of(chunk, rows_per_chunk, n);
        for (int64_t row = span.begin; row < span.end; ++row) {
            const uint64_t at = place(row), bit = uint64_t{1} << (at % 64);
            if ((__atomic_load_n(&bits[at / 64], __ATOMIC_RELAXED) & bit) == 0)
                __atomic_fetch_or(&bits[at / 64], bit, __ATOMIC_RELAXED);
        }
    });
    int64_t n_distinct = 0;
    for (size_t w = 0; w < words; ++w) {
        if (n_distinct > max_labels) throw std::invalid_argument("more than 2147483647 distinct ids");
        before[w] = static_cast<int32_t>(n_distinct);
        n_distinct += __builtin_popcountll(bits[w]);
    }
    distinct.reserve(static_cast<size_t>(n_distinct));
    for (size_t w = 0; w < words; ++w) {
        for (uint64_t left = bits[w]; left != 0; left &= left - 1)
            distinct.push_back(low + static_cast<int64_t>(64 * w) + __builtin_ctzll(left));
    }
    if (status != RunStatus::done) return status;
    return run_each(chunks_of(n, rows_per_chunk), options, [&](int64_t chunk) {
        const Span span = span_of(chunk, rows_per_chunk, n);
        for (int64_t row = span.begin; row < span.end; ++row) {
            const uint64_t at = place(row);
            const uint64_t below = bits[at / 64] & ((uint64_t{1} << (at % 64)) - 1);
            codes[row] = before[at / 64] + __builtin_popcountll(below);
        }
    });
}

void translate_rows(const int32_t* numbers, int64_t n, const int32_t* table, int64_t n_numbers, int32_t* out,
                    const RunOptions& options, RunStatus& status) {
    status = run_each(chunks_of(n, rows_per_chunk), options, [&](int64_t chunk) {
        const Span span = span_of(chunk, rows_per_chunk, n);
        for (int64_t row = span.begin; row < span.end; ++row) {
            const int32_t number = numbers[row];
            require(number >= -1 && number < n_numbers, "numbers must lie in [-1, n_numbers)");
            out[row] = number < 0 ? 0 : table[number];
        }
    });
}

// Number integers. allocate(n_distinct) returns int64 (n_distinct), which gets the labels, sorted.
template <class T>
void number_integers(const In1<T>& labels, const Out1<int32_t>& codes, const nb::callable& allocate,
                     int n_threads) {
    const auto n = static_cast<int64_t>(labels.shape(0));
    require(codes.shape(0) == labels.shape(0), "codes must have one element per row");
    Call call(n_threads, std::nullopt);
    std::vector<int64_t> distinct;
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        int64_t low, high;
        status = range_of(labels.data(), n, call.options(), low, high);
        // Twelve bytes for 64 labels that might be: at most 3 for each row, where a hash table takes about as
        // much.
        const uint64_t words = (static_cast<uint64_t>(high) - static_cast<uint64_t>(low)) / 64 + 1;
        if (status == RunStatus::done && n > 0 && words <= static_cast<uint64_t>(n / 4 + 1024)) {
            status = number_by_bits(labels.data(), n, low, static_cast<size_t>(words), codes.data(),
                                    call.options(), distinct);
        } else if (status == RunStatus::done && n > 0) {
            Numbering<int64_t> numbering;
            const IntegerArray<T> column(labels);
            status = numbering.add(
                n, nullptr, codes.data(), call.options(),
                [&](int64_t row, int64_t count, int64_t* found) { column.read(row, count, found); });
            if (status == RunStatus::done) status = numbering.sort(call.options());
            std::vector<int32_t> rank(static_cast<size_t>(numbering.end_of_numbers()));
            distinct.resize(static_cast<size_t>(numbering.n_distinct()));
            if (status == RunStatus::done) {
                status = numbering.each_sorted(call.options(), [&](int64_t i, int64_t label, int32_t number) {
                    distinct[static_cast<size_t>(i)] = label;
                    rank[static_cast<size_t>(number)] = static_cast<int32_t>(i);
                });
            }
            if (status == RunStatus::done) {
                translate_rows(codes.data(), n, rank.data(), static_cast<int64_t>(rank.size()), codes.data(),
                               call.options(), status);
            }
        }
    }
    call.finish(status);
    const auto out = nb::cast<Out1<int64_t>>(allocate(static_cast<int64_t>(distinct.size())), false);
    require(out.shape(0) == distinct.size(), "allocate must return what was asked for");
    std::copy(distinct.begin(), distinct.end(), out.data());
}

// out[i] = table[numbers[i]], 0 where the number is -1; `out` may be `numbers`.
void translate(const In1<int32_t>& numbers, const In1<int32_t>& table, const Out1<int32_t>& out,
               int n_threads) {
    require(out.shape(0) == numbers.shape(0), "out must have one element per number");
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        translate_rows(numbers.data(), static_cast<int64_t>(numbers.shape(0)), table.data(),
                       static_cast<int64_t>(table.shape(0)), out.data(), call.options(), status);
    }
    call.finish(status);
}

// Set used[number] for each number that occurs (-1 is passed over).
void mark_used(const In1<int32_t>& numbers, const Out1<uint8_t>& used, int n_threads) {
    const auto n = static_cast<int64_t>(numbers.shape(0)), n_numbers = static_cast<int64_t>(used.shape(0));
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_each(chunks_of(n, rows_per_chunk), call.options(), [&](int64_t chunk) {
            const Span span = span_of(chunk, rows_per_chunk, n);
            for (int64_t row = span.begin; row < span.end; ++row) {
                const int32_t number = numbers.data()[row];
                require(number >= -1 && number < n_numbers, "numbers must lie in [-1, n_numbers)");
                if (number < 0) continue;
                uint8_t* flag = &used.data()[number];
                if (__atomic_load_n(flag, __ATOMIC_RELAXED) == 0)
                    __atomic_store_n(flag, uint8_t{1}, __ATOMIC_RELAXED);
            }
        });
    }
    call.finish(status);
}

}  // namespace

void bind_numbering(nb::module_& m) {
    m.def("number_strings", &number_strings, nb::arg("n_columns"), nb::arg("next_piece"), nb::arg("allocate"),
          nb::arg("n_threads"));
    m.def("number_int64", &number_integers<int64_t>, nb::arg("labels").noconvert(),
          nb::arg("codes").noconvert(), nb::arg("allocate"), nb::arg("n_threads"));
    m.def("number_int32", &number_integers<int32_t>, nb::arg("labels").noconvert(),
          nb::arg("codes").noconvert(), nb::arg("allocate"), nb::arg("n_threads"));
    m.def("translate", &translate, nb::arg("numbers").noconvert(), nb::arg("table").noconvert(),
          nb::arg("out").noconvert(), nb::arg("n_threads"));
    m.def("mark_used", &mark_used, nb::arg("numbers").noconvert(), nb::arg("used").noconvert(),
          nb::arg("n_threads"));
}

}  // namespace alternant
