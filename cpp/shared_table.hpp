// The distinct labels of a column, numbered by several threads at once.
//
// A slot is 0 (empty) or (upper half of the hash) << 32 | place of the label's record; the lower half of the
// hash picks it, linear probing goes on from there. Records (number, label) never move and never change once
// a slot points to them, so that threads share one table: who finds an empty slot writes the record first and
// then claims the slot by compare-and-swap; who loses the race looks again. Numbers come in any order:
// nothing that leaves this file's callers depends on them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "huge_memory.hpp"
#include "label_table.hpp"

namespace alternant {

// How a label lies behind the number in its record.
inline int64_t stored_bytes(int64_t) {
    return 8;
}
inline int64_t stored_bytes(const Bytes& label) {
    return 4 + label.size;
}
inline void store_label(uint8_t* at, int64_t label) {
    std::memcpy(at, &label, 8);
}
inline void store_label(uint8_t* at, const Bytes& label) {
    const auto size = static_cast<uint32_t>(label.size);
    std::memcpy(at, &size, 4);
    if (size > 0) std::memcpy(at + 4, label.data, size);
}
inline void load_label(const uint8_t* at, int64_t& label) {
    std::memcpy(&label, at, 8);
}
inline void load_label(const uint8_t* at, Bytes& label) {
    uint32_t size;
    std::memcpy(&size, at, 4);
    label = {at + 4, static_cast<int64_t>(size)};
}

template <class Label>
class SharedTable {
  public:
    struct Record {
        int32_t number;
        Label label;  // byte strings point into the table
    };

    // What one thread needs to insert: its place in a block of records, and a number that it has drawn and
    // not used.
    struct Writer {
        uint8_t* at = nullptr;
        uint8_t* end = nullptr;
        uint32_t place = 0;
        int32_t number = -1;
    };

    SharedTable() : blocks_(new std::atomic<uint8_t*>[max_blocks]()) { slots_ = empty_slots(n_slots_); }
    SharedTable(const SharedTable&) = delete;
    SharedTable& operator=(const SharedTable&) = delete;

    // How many of `n` rows may be inserted before the next call. No thread may use the table meanwhile.
    int64_t reserve(int64_t n) {
        const auto used = static_cast<int64_t>(next_number_);
        const auto room = [&] { return static_cast<int64_t>(n_slots_) / 2 - used; };
        while (room() < std::min(n, std::max(least_rows, static_cast<int64_t>(n_slots_) / 4))) grow();
        return std::min(n, room());
    }

    void prefetch_slot(uint64_t hash) const { __builtin_prefetch(&slots()[hash & (n_slots_ - 1)]); }
    void prefetch_record(uint64_t hash) const {
        const uint64_t entry = __atomic_load_n(&slots()[hash & (n_slots_ - 1)], __ATOMIC_ACQUIRE);
        if (entry != 0) __builtin_prefetch(at(static_cast<uint32_t>(entry)));
    }

    // Return the number of `label`, a new one where it was not seen before.
    int32_t insert(uint64_t hash, const Label& label, Writer& writer) {
        const uint64_t mask = n_slots_ - 1;
        bool is_written = false;
        for (uint64_t slot = hash & mask;; slot = (slot + 1) & mask) {
            uint64_t entry = __atomic_load_n(&slots()[slot], __ATOMIC_ACQUIRE);
            if (entry == 0) {
                if (!is_written) write(label, writer);
                is_written = true;
                if (__atomic_compare_exchange_n(&slots()[slot], &entry, (hash & tag_mask) | writer.place,
                                                false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
                    const int32_t number = writer.number;
                    const int64_t size = record_bytes(label);
                    writer.at += size;
                    writer.place += static_cast<uint32_t>(size / unit);
                    writer.number = -1;
                    return number;
                }
            }
            if (((entry ^ hash) & tag_mask) == 0) {
                const Record found = record(static_cast<uint32_t>(entry));
                if (found.label == label) return found.number;
            }
        }
    }

    // The places of all records, in no particular order; the slots are given up.
    std::vector<uint32_t> take_places() {
        std::vector<uint32_t> places;
        places.reserve(static_cast<size_t>(next_number_));
        for (size_t i = 0; i < n_slots_; ++i) {
            if (slots()[i] != 0) places.push_back(static_cast<uint32_t>(slots()[i]));
        }
        slots_.reset();
        return places;
    }
    Record record(uint32_t place) const {
        Record found;
        const uint8_t* from = at(place);
        std::memcpy(&found.number, from, 4);
        load_label(from + 4, found.label);
        return found;
    }
    const void* address(uint32_t place) const { return at(place); }
    // All numbers are below this one; a few may belong to no label.
    int64_t end_of_numbers() const { return next_number_; }

  private:
    static constexpr int64_t unit = 8;  // bytes; places count units
    static constexpr int64_t block_units = 1 << 21;
    static constexpr int64_t max_blocks = 1 << 11;  // 32 GiB, all that 32 bits of units reach
    static constexpr int64_t small_block =
        1 << 14;  // bytes of the first blocks: columns of few labels are many
    static constexpr int64_t least_rows = 1 << 18;

    static int64_t record_bytes(const Label& label) {
        return (4 + stored_bytes(label) + unit - 1) / unit * unit;
    }
    static HugeMemory empty_slots(size_t n) {
        HugeMemory memory = huge_memory(8 * n);
        std::memset(memory.get(), 0, 8 * n);
        return memory;
    }
    uint64_t* slots() const { return reinterpret_cast<uint64_t*>(slots_.get()); }
    const uint8_t* at(uint32_t place) const {
        return blocks_[place / block_units].load(std::memory_order_acquire) + place % block_units * unit;
    }

    void write(const Label& label, Writer& writer) {
        const int64_t size = record_bytes(label);
        if (writer.end - writer.at < size) new_block(size, writer);
        if (writer.number < 0) {
            const int64_t number = next_number_.fetch_add(1);
            if (number >= max_labels) throw std::invalid_argument("more than 2147483647 distinct ids");
            writer.number = static_cast<int32_t>(number);
        }
        std::memcpy(writer.at, &writer.number, 4);
        store_label(writer.at + 4, label);
    }

    void new_block(int64_t size, Writer& writer) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const int64_t first = n_blocks_, skipped = first == 0 ? 1 : 0;  // 0 is an empty slot, never a place
        const int64_t needed = size + skipped * unit, whole = block_units * unit;
        const int64_t n = (needed + whole - 1) / whole;  // a long label takes several
        if (size > INT32_MAX || n > max_blocks - first) {
            throw std::invalid_argument("more than 32 GiB of distinct ids, or 2 GiB in one");
        }
        const int64_t bytes = first < 16 && needed <= small_block ? small_block : n * whole;
        memory_.push_back(huge_memory(static_cast<size_t>(bytes)));
        uint8_t* block = memory_.back().get();
        for (int64_t b = 0; b < n; ++b)
            blocks_[first + b].store(block + b * whole, std::memory_order_release);
        n_blocks_ += n;
        writer.at = block + skipped * unit;
        writer.end = block + bytes;
        writer.place = static_cast<uint32_t>(first * block_units + skipped);
    }

    void grow() {
        HugeMemory grown = empty_slots(2 * n_slots_);
        auto* to = reinterpret_cast<uint64_t*>(grown.get());
        const uint64_t mask = 2 * n_slots_ - 1;
        constexpr size_t ahead = 16;
        for (size_t i = 0; i < n_slots_; ++i) {
            if (i + ahead < n_slots_ && slots()[i + ahead] != 0) {
                __builtin_prefetch(at(static_cast<uint32_t>(slots()[i + ahead])));
            }
            const uint64_t entry = slots()[i];
            if (entry == 0) continue;
            uint64_t slot = hash_label(record(static_cast<uint32_t>(entry)).label) & mask;
            while (to[slot] != 0) slot = (slot + 1) & mask;
            to[slot] = entry;
        }
        slots_ = std::move(grown);
        n_slots_ *= 2;
    }

    size_t n_slots_ = 1 << 10;
    HugeMemory slots_;
    std::vector<HugeMemory> memory_;
    std::unique_ptr<std::atomic<uint8_t*>[]> blocks_;  // where the units of a block of places lie
    int64_t n_blocks_ = 0;
    std::atomic<int64_t> next_number_{0};
    std::mutex mutex_;
};

}  // namespace alternant
