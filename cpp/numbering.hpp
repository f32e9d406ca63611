// Number the distinct labels of a column in sorted order: rows are added piece by piece, then everything is
// sorted.
#pragma once

#include <algorithm>
#include <numeric>

#include "run_each.hpp"
#include "shared_table.hpp"

namespace alternant {

// Eight bytes of a label that sort as the labels do, after `skipped` bytes that all labels share.
inline uint64_t sort_prefix(int64_t label, int64_t) {
    return static_cast<uint64_t>(label) ^ (uint64_t{1} << 63);
}
inline uint64_t sort_prefix(const Bytes& label, int64_t skipped) {
    const int64_t left = label.size - skipped;
    uint64_t prefix = 0;
    if (left > 0) prefix = load_bytes(label.data + skipped, left < 8 ? left : 8);
    return __builtin_bswap64(prefix);
}
inline bool sorts_before(int64_t a, int64_t b) {
    return a < b;
}
inline bool sorts_before(const Bytes& a, const Bytes& b) {
    return compare(a, b) < 0;
}
inline int64_t shared_prefix(int64_t, int64_t, int64_t) {
    return 0;
}
inline int64_t shared_prefix(const Bytes& a, const Bytes& b, int64_t most) {
    const int64_t n = std::min({a.size, b.size, most});
    int64_t i = 0;
    while (i < n && a.data[i] == b.data[i]) ++i;
    return i;
}

// Sort pieces in parallel, then merge them pairwise.
template <class T, class Less>
RunStatus sort_all(std::vector<T>& items, const RunOptions& options, Less less) {
    const auto n = static_cast<int64_t>(items.size());
    int64_t size = n < (1 << 15) ? std::max<int64_t>(n, 1) : chunks_of(n, options.n_threads);
    RunStatus status = run_each(chunks_of(n, size), options, [&](int64_t chunk) {
        const Span span = span_of(chunk, size, n);
        std::sort(items.begin() + span.begin, items.begin() + span.end, less);
    });
    for (; status == RunStatus::done && size < n; size *= 2) {
        status = run_each(chunks_of(n, 2 * size), options, [&](int64_t chunk) {
            const Span span = span_of(chunk, 2 * size, n);
            if (span.begin + size < span.end) {
                std::inplace_merge(items.begin() + span.begin, items.begin() + span.begin + size,
                                   items.begin() + span.end, less);
            }
        });
    }
    return status;
}

template <class Label>
class Numbering {
  public:
    // Give each row a provisional number; -1 where `nulls` (n, optional) is true. read(row, count, labels):
    // the labels of rows [row, row + count), which need not live longer than the call.
    template <class Read>
    RunStatus add(int64_t n, const bool* nulls, int32_t* numbers, const RunOptions& options, Read read) {
        RunStatus status = RunStatus::done;
        for (int64_t begin = 0; begin < n && status == RunStatus::done;) {
            const int64_t window = table_.reserve(n - begin);
            status = run_each(chunks_of(window, rows_per_chunk), options, [&](int64_t chunk) {
                const Span span = span_of(chunk, rows_per_chunk, window);
                add_rows(begin + span.begin, begin + span.end, nulls, numbers, read);
            });
            begin += window;
        }
        return status;
    }

    // Sort what was added. `rank` gets the sorted number of each provisional one.
    RunStatus sort(const RunOptions& options) {
        {
            const std::vector<uint32_t> places = table_.take_places();
            keys_.resize(places.size());
            const auto n = static_cast<int64_t>(places.size());
            int64_t skipped = INT64_MAX;
            for (int64_t i = 0; i < n; ++i) {
                if (i + 16 < n) __builtin_prefetch(table_.address(places[static_cast<size_t>(i + 16)]));
                const Label label = label_at(places[static_cast<size_t>(i)]);
                if (i > 0) skipped = shared_prefix(label_at(places[0]), label, skipped);
            }
            if (n < 2) skipped = 0;
            for (int64_t i = 0; i < n; ++i) {
                if (i + 16 < n) __builtin_prefetch(table_.address(places[static_cast<size_t>(i + 16)]));
                const uint32_t place = places[static_cast<size_t>(i)];
                keys_[static_cast<size_t>(i)] = {sort_prefix(label_at(place), skipped), place};
            }
        }
        return sort_all(keys_, options, [&](const Key& a, const Key& b) {
            if (a.prefix != b.prefix) return a.prefix < b.prefix;
            return sorts_before(label_at(a.place), label_at(b.place));
        });
    }

    int64_t n_distinct() const { return static_cast<int64_t>(keys_.size()); }
    int64_t end_of_numbers() const { return table_.end_of_numbers(); }

    // Call each(position, label, provisional number) for all labels in sorted order, by several threads.
    template <class Each>
    RunStatus each_sorted(const RunOptions& options, Each each) const {
        return run_each(chunks_of(n_distinct(), rows_per_chunk), options, [&](int64_t chunk) {
            const Span span = span_of(chunk, rows_per_chunk, n_distinct());
            for (int64_t i = span.begin; i < span.end; ++i) {
                if (i + 16 < span.end)
                    __builtin_prefetch(table_.address(keys_[static_cast<size_t>(i + 16)].place));
                const auto record = table_.record(keys_[static_cast<size_t>(i)].place);
                each(i, record.label, record.number);
            }
        });
    }

  private:
    using Writer = typename SharedTable<Label>::Writer;
    struct Key {
        uint64_t prefix;
        uint32_t place;
    };
    static constexpr int64_t rows_per_chunk = 1 << 14;

    Label label_at(uint32_t place) const { return table_.record(place).label; }

    template <class Read>
    void add_rows(int64_t begin, int64_t end, const bool* nulls, int32_t* numbers, Read& read) {
        Writer writer = take_writer();
        constexpr int64_t batch = 32;  // memory is asked for a batch ahead of its use
        Label labels[batch];
        uint64_t hashes[batch];
        for (int64_t row = begin; row < end; row += batch) {
            const int64_t count = std::min(batch, end - row);
            if (nulls != nullptr &&
                std::any_of(nulls + row, nulls + row + count, [](bool null) { return null; })) {
                for (int64_t i = row; i < row + count; ++i) {
                    numbers[i] = -1;
                    if (nulls[i]) continue;
                    read(i, 1, labels);
                    numbers[i] = table_.insert(hash_label(labels[0]), labels[0], writer);
                }
                continue;
            }
            read(row, count, labels);
            for (int64_t i = 0; i < count; ++i) {
                hashes[i] = hash_label(labels[i]);
                table_.prefetch_slot(hashes[i]);
            }
            for (int64_t i = 0; i < count; ++i) table_.prefetch_record(hashes[i]);
            for (int64_t i = 0; i < count; ++i)
                numbers[row + i] = table_.insert(hashes[i], labels[i], writer);
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        idle_.push_back(writer);
    }
    Writer take_writer() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (idle_.empty()) return {};
        const Writer writer = idle_.back();
        idle_.pop_back();
        return writer;
    }

    SharedTable<Label> table_;
    std::vector<Key> keys_;
    std::vector<Writer> idle_;  // one for each thread that there was at a time
    std::mutex mutex_;
};

}  // namespace alternant
