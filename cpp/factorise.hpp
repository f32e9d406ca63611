// Number the distinct labels of a column in sorted order.
//
// Each thread numbers the labels of its chunks in a table of its own; the tables are merged, the distinct
// labels sorted, and the chunks' numbers translated. What comes out depends on the labels only.
#pragma once

#include <algorithm>
#include <mutex>
#include <numeric>

#include "label_table.hpp"
#include "run_each.hpp"

namespace alternant {

constexpr int64_t rows_per_chunk = 1 << 17;

inline uint64_t sort_prefix(int64_t label) {
    return static_cast<uint64_t>(label) ^ (uint64_t{1} << 63);
}
inline uint64_t sort_prefix(const Bytes& label) {
    uint8_t first[8] = {0};
    if (label.size > 0) std::memcpy(first, label.data, static_cast<size_t>(label.size < 8 ? label.size : 8));
    uint64_t prefix = 0;
    for (const uint8_t byte : first) prefix = prefix << 8 | byte;
    return prefix;
}
inline bool sorts_before(int64_t a, int64_t b) {
    return a < b;
}
inline bool sorts_before(const Bytes& a, const Bytes& b) {
    return compare(a, b) < 0;
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

// read(row, count, labels): the labels of rows [row, row + count). Writes codes (n) and representatives
// (n_distinct): for each distinct label in sorted order a row that holds it.
template <class Label, class Read>
RunStatus factorise(int64_t n, const RunOptions& options, Read read, int32_t* codes, int64_t* representatives,
                    int64_t& n_distinct) {
    using Table = LabelTable<Label>;
    const int64_t n_chunks = chunks_of(n, rows_per_chunk);
    std::vector<Table> tables(
        static_cast<size_t>(std::min<int64_t>(options.n_threads, std::max<int64_t>(n_chunks, 1))));
    std::vector<size_t> idle(tables.size());
    std::iota(idle.rbegin(), idle.rend(), size_t{0});
    std::vector<size_t> table_of(static_cast<size_t>(n_chunks));
    std::mutex mutex;

    RunStatus status = run_each(n_chunks, options, [&](int64_t chunk) {
        size_t mine;
        {
            const std::lock_guard<std::mutex> lock(mutex);
            mine = idle.back();
            idle.pop_back();
        }
        table_of[static_cast<size_t>(chunk)] = mine;
        Table& table = tables[mine];
        const Span span = span_of(chunk, rows_per_chunk, n);
        constexpr int64_t batch = 32;  // memory is asked for a batch ahead of its use
        Label labels[batch];
        uint64_t hashes[batch];
        for (int64_t row = span.begin; row < span.end; row += batch) {
            const int64_t count = std::min(batch, span.end - row);
            read(row, count, labels);
            for (int64_t i = 0; i < count; ++i) {
                hashes[i] = hash_label(labels[i]);
                table.prefetch_slot(hashes[i]);
            }
            for (int64_t i = 0; i < count; ++i) table.prefetch_entry(hashes[i]);
            for (int64_t i = 0; i < count; ++i) codes[row + i] = table.insert(hashes[i], labels[i], row + i);
        }
        const std::lock_guard<std::mutex> lock(mutex);
        idle.push_back(mine);
    });
    if (status != RunStatus::done) return status;

    // translation[t][local number] = number in the first table, then the sorted number
    std::vector<std::vector<int32_t>> translation(tables.size());
    Table& all = tables[0];
    for (size_t t = 0; t < tables.size(); ++t) {
        const size_t n_local = tables[t].entries().size();
        translation[t].resize(n_local);
        for (size_t i = 0; i < n_local; ++i) {
            if (t == 0) {
                translation[t][i] = static_cast<int32_t>(i);
            } else {
                const auto& entry = tables[t].entries()[i];
                translation[t][i] = all.insert(entry.hash, entry.label, entry.row);
            }
        }
        if (t > 0) tables[t] = Table();
    }
    all.free_slots();

    struct Key {
        uint64_t prefix;
        int32_t entry;
    };
    const auto& entries = all.entries();
    std::vector<Key> keys(entries.size());
    for (size_t i = 0; i < entries.size(); ++i) {
        keys[i] = {sort_prefix(entries[i].label), static_cast<int32_t>(i)};
    }
    status = sort_all(keys, options, [&](const Key& a, const Key& b) {
        if (a.prefix != b.prefix) return a.prefix < b.prefix;
        return sorts_before(entries[static_cast<size_t>(a.entry)].label,
                            entries[static_cast<size_t>(b.entry)].label);
    });
    if (status != RunStatus::done) return status;

    std::vector<int32_t> rank(entries.size());
    for (size_t r = 0; r < keys.size(); ++r) {
        const auto entry = static_cast<size_t>(keys[r].entry);
        rank[entry] = static_cast<int32_t>(r);
        representatives[r] = entries[entry].row;
    }
    for (auto& numbers : translation) {
        for (auto& number : numbers) number = rank[static_cast<size_t>(number)];
    }
    n_distinct = static_cast<int64_t>(keys.size());
    return run_each(n_chunks, options, [&](int64_t chunk) {
        const auto& numbers = translation[table_of[static_cast<size_t>(chunk)]];
        const Span span = span_of(chunk, rows_per_chunk, n);
        for (int64_t row = span.begin; row < span.end; ++row)
            codes[row] = numbers[static_cast<size_t>(codes[row])];
    });
}

}  // namespace alternant
