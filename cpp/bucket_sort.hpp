// Sort entries by key, stably, into rows: the counting sort behind both orders of interactions.
//
// Entries first go to buckets (runs of keys) in the place where these will lie at the end, each thread
// copying a segment of the input; then every bucket, small enough for the caches, is sorted by itself. So
// writes stay local whatever the input's order, and the result is the stable order whatever the number of
// threads.
//
// Beside what is returned this takes 2 bytes an entry; 16 KiB a thread for the buckets' ends; and for each
// thread 8 bytes plus the widest carried element for each entry of the bucket at hand (of about n / 2048
// entries, or as many as the rows of the densest run of keys have).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "huge_memory.hpp"
#include "run_each.hpp"

namespace alternant {

// An array whose elements (4 or 8 bytes) go where their entries go.
struct Carried {
    const uint8_t* from;  // (n)
    uint8_t* to;          // (n)
    int64_t bytes;        // of an element
};

struct SortedRows {
    int64_t n;         // entries
    int64_t n_keys;    // rows of the result
    int64_t* offsets;  // out (n_keys + 1)
    int32_t* indices;  // out (n)
    std::vector<Carried> carried;
};

// Memory of one thread, kept from bucket to bucket.
struct BucketScratch {
    std::vector<int64_t> ends;
    std::vector<uint64_t> places;
    std::vector<uint64_t> elements;
};

template <class T, class Place>
void move_elements(uint8_t* elements, int64_t n, const Place* place_of, std::vector<uint64_t>& scratch) {
    if (n == 0) return;  // memcpy wants no null pointer, not even for nothing
    scratch.resize(static_cast<size_t>((n * static_cast<int64_t>(sizeof(T)) + 7) / 8));
    auto* copy = reinterpret_cast<T*>(scratch.data());
    auto* out = reinterpret_cast<T*>(elements);
    std::memcpy(copy, out, static_cast<size_t>(n) * sizeof(T));
    for (int64_t e = 0; e < n; ++e) out[place_of[e]] = copy[e];
}

template <class Place>
void move_all(const SortedRows& rows, int64_t begin, int64_t n, const Place* place_of, bool indices_too,
              std::vector<uint64_t>& scratch) {
    if (indices_too)
        move_elements<uint32_t>(reinterpret_cast<uint8_t*>(rows.indices + begin), n, place_of, scratch);
    for (const Carried& carried : rows.carried) {
        uint8_t* elements = carried.to + begin * carried.bytes;
        if (carried.bytes == 4) move_elements<uint32_t>(elements, n, place_of, scratch);
        if (carried.bytes == 8) move_elements<uint64_t>(elements, n, place_of, scratch);
    }
}

// Sort the n entries of a bucket, whose keys are local_keys (n) in [0, n_local); sets the ends of its rows.
template <class Place>
void sort_bucket(const SortedRows& rows, int64_t first_key, int64_t n_local, int64_t begin, int64_t n,
                 const uint16_t* local_keys, BucketScratch& scratch) {
    scratch.ends.assign(static_cast<size_t>(n_local) + 1, 0);
    int64_t* next = scratch.ends.data();
    for (int64_t e = 0; e < n; ++e) ++next[local_keys[e] + 1];
    for (int64_t key = 0; key < n_local; ++key) {
        next[key + 1] += next[key];
        rows.offsets[first_key + key + 1] = begin + next[key + 1];
    }
    scratch.places.resize(static_cast<size_t>((n * static_cast<int64_t>(sizeof(Place)) + 7) / 8));
    auto* place_of = reinterpret_cast<Place*>(scratch.places.data());
    for (int64_t e = 0; e < n; ++e) place_of[e] = static_cast<Place>(next[local_keys[e]]++);
    move_all(rows, begin, n, place_of, true, scratch.elements);
}

// Sort the entries of one row by index, equal ones in their order. Returns how many repeat the index before.
inline int64_t sort_row(const SortedRows& rows, int64_t begin, int64_t n, BucketScratch& scratch) {
    int32_t* indices = rows.indices + begin;
    if (!std::is_sorted(indices, indices + n)) {
        scratch.ends.resize(static_cast<size_t>(n));
        int64_t* place_of = scratch.ends.data();
        if (n <= int64_t{UINT32_MAX}) {
            scratch.places.resize(static_cast<size_t>(n));
            uint64_t* keys = scratch.places.data();
            for (int64_t e = 0; e < n; ++e)
                keys[e] = static_cast<uint64_t>(indices[e]) << 32 | static_cast<uint64_t>(e);
            std::sort(keys, keys + n);
            for (int64_t e = 0; e < n; ++e) {
                indices[e] = static_cast<int32_t>(keys[e] >> 32);
                place_of[keys[e] & UINT32_MAX] = e;
            }
        } else {
            std::vector<std::pair<int32_t, int64_t>> pairs(static_cast<size_t>(n));
            for (int64_t e = 0; e < n; ++e) pairs[static_cast<size_t>(e)] = {indices[e], e};
            std::sort(pairs.begin(), pairs.end());
            for (int64_t e = 0; e < n; ++e) {
                indices[e] = pairs[static_cast<size_t>(e)].first;
                place_of[pairs[static_cast<size_t>(e)].second] = e;
            }
        }
        move_all(rows, begin, n, place_of, false, scratch.elements);
    }
    int64_t n_repeats = 0;
    for (int64_t e = 1; e < n; ++e) n_repeats += indices[e] == indices[e - 1];
    return n_repeats;
}

// scan(begin, end, each): call each(e, key, index) for the entries [begin, end) in order; it may throw.
// With `sort_rows` rows are sorted by index too, and repeats of a (key, index) counted into n_repeats.
template <class Scan>
RunStatus bucket_sort(const SortedRows& rows, const RunOptions& options, Scan scan, bool sort_rows,
                      int64_t& n_repeats) {
    constexpr int64_t most_buckets = 2048;
    const int64_t n = rows.n;
    int shift = 0;
    while (shift < 16 && rows.n_keys >> shift > most_buckets) ++shift;
    const int64_t n_local = int64_t{1} << shift, n_buckets = chunks_of(rows.n_keys, n_local);
    const int64_t n_segments = n < (1 << 16) ? 1 : options.n_threads;
    const int64_t segment_size = std::max<int64_t>(chunks_of(n, n_segments), 1);

    // next[segment][bucket]: how many entries; then where the next one goes
    std::vector<std::vector<int64_t>> next(static_cast<size_t>(n_segments));
    RunStatus status = run_each(n_segments, options, [&](int64_t segment) {
        auto& mine = next[static_cast<size_t>(segment)];
        mine.assign(static_cast<size_t>(n_buckets), 0);
        const int64_t begin = std::min(segment * segment_size, n);
        scan(begin, std::min(begin + segment_size, n),
             [&](int64_t, int32_t key, int32_t) { ++mine[static_cast<size_t>(key >> shift)]; });
    });
    if (status != RunStatus::done) return status;
    std::vector<int64_t> begins(static_cast<size_t>(n_buckets) + 1);
    int64_t end = 0;
    for (int64_t bucket = 0; bucket < n_buckets; ++bucket) {
        begins[static_cast<size_t>(bucket)] = end;
        for (auto& mine : next) {
            const int64_t count = mine[static_cast<size_t>(bucket)];
            mine[static_cast<size_t>(bucket)] = end;
            end += count;
        }
    }
    begins[static_cast<size_t>(n_buckets)] = end;

    const HugeMemory memory = huge_memory(shift > 0 ? static_cast<size_t>(2 * n) : 0);
    auto* local_keys = reinterpret_cast<uint16_t*>(memory.get());
    status = run_each(n_segments, options, [&](int64_t segment) {
        int64_t* mine = next[static_cast<size_t>(segment)].data();
        const int64_t begin = std::min(segment * segment_size, n);
        const auto local_mask = static_cast<int32_t>(n_local - 1);
        scan(begin, std::min(begin + segment_size, n), [&](int64_t e, int32_t key, int32_t index) {
            const int64_t place = mine[key >> shift]++;
            if (shift > 0) local_keys[place] = static_cast<uint16_t>(key & local_mask);
            rows.indices[place] = index;
            for (const Carried& carried : rows.carried) {
                if (carried.bytes == 4) std::memcpy(carried.to + 4 * place, carried.from + 4 * e, 4);
                if (carried.bytes == 8) std::memcpy(carried.to + 8 * place, carried.from + 8 * e, 8);
            }
        });
    });
    if (status != RunStatus::done) return status;

    rows.offsets[0] = 0;
    std::atomic<int64_t> repeats{0};
    std::vector<BucketScratch> scratches;
    std::mutex mutex;
    status = run_each(n_buckets, options, [&](int64_t bucket) {
        BucketScratch scratch;
        {
            const std::lock_guard<std::mutex> lock(mutex);
            if (!scratches.empty()) {
                scratch = std::move(scratches.back());
                scratches.pop_back();
            }
        }
        const int64_t begin = begins[static_cast<size_t>(bucket)],
                      size = begins[static_cast<size_t>(bucket) + 1] - begin;
        const int64_t first_key = bucket * n_local, keys_here = std::min(n_local, rows.n_keys - first_key);
        if (shift == 0) {
            rows.offsets[bucket + 1] = begin + size;
        } else if (size <= int64_t{UINT32_MAX}) {
            sort_bucket<uint32_t>(rows, first_key, keys_here, begin, size, local_keys + begin, scratch);
        } else {
            sort_bucket<uint64_t>(rows, first_key, keys_here, begin, size, local_keys + begin, scratch);
        }
        if (sort_rows) {
            int64_t here = 0, row_begin = begin;
            for (int64_t key = first_key; key < first_key + keys_here; ++key) {
                here += sort_row(rows, row_begin, rows.offsets[key + 1] - row_begin, scratch);
                row_begin = rows.offsets[key + 1];
            }
            repeats += here;
        }
        const std::lock_guard<std::mutex> lock(mutex);
        scratches.push_back(std::move(scratch));
    });
    n_repeats = repeats;
    return status;
}

}  // namespace alternant
