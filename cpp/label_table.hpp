// Hash tables from labels to positions: open addressing, linear probing.
//
// A slot is (upper half of the hash) << 32 | position + 1; 0 is an empty slot. The lower half of the hash
// picks the slot.
#pragma once

#include <stdexcept>
#include <vector>

#include "labels.hpp"

namespace alternant {

constexpr uint64_t tag_mask = 0xffffffff00000000u;
constexpr int64_t max_labels = 0x7fffffff;

// Walk the slots (a power of two of them) from `hash` on; `same(position)` decides a slot whose tag fits.
// Returns the position, or -1 with `slot` at the empty place. The table must have an empty slot.
template <class Same>
int64_t probe(const uint64_t* slots, uint64_t mask, uint64_t hash, uint64_t& slot, Same same) {
    for (slot = hash & mask;; slot = (slot + 1) & mask) {
        const uint64_t entry = slots[slot];
        if (entry == 0) return -1;
        if (((entry ^ hash) & tag_mask) == 0) {
            const auto position = static_cast<int64_t>(entry & ~tag_mask) - 1;
            if (same(position)) return position;
        }
    }
}

inline uint64_t slot_entry(uint64_t hash, int64_t position) {
    return (hash & tag_mask) | static_cast<uint64_t>(position + 1);
}

// The distinct labels seen so far, in order of appearance.
template <class Label>
class LabelTable {
  public:
    struct Entry {
        uint64_t hash;
        Label label;  // byte strings point into the column
        int64_t row;  // one row that holds the label
    };

    LabelTable() : slots_(1024) {}

    void prefetch_slot(uint64_t hash) const { __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]); }
    void prefetch_entry(uint64_t hash) const {
        const uint64_t entry = slots_[hash & (slots_.size() - 1)];
        if (entry != 0) __builtin_prefetch(&entries_[static_cast<size_t>((entry & ~tag_mask) - 1)]);
    }

    int32_t insert(uint64_t hash, const Label& label, int64_t row) {
        uint64_t slot;
        const int64_t found = probe(slots_.data(), slots_.size() - 1, hash, slot, [&](int64_t position) {
            const Entry& entry = entries_[static_cast<size_t>(position)];
            return entry.hash == hash && entry.label == label;
        });
        if (found >= 0) return static_cast<int32_t>(found);
        const auto position = static_cast<int64_t>(entries_.size());
        if (position >= max_labels) throw std::invalid_argument("more than 2147483647 distinct ids");
        entries_.push_back({hash, label, row});
        slots_[slot] = slot_entry(hash, position);
        if (2 * entries_.size() > slots_.size()) grow();
        return static_cast<int32_t>(position);
    }

    const std::vector<Entry>& entries() const { return entries_; }
    void free_slots() { std::vector<uint64_t>().swap(slots_); }

  private:
    void grow() {
        std::vector<uint64_t> slots(4 * slots_.size());
        const uint64_t mask = slots.size() - 1;
        for (size_t i = 0; i < entries_.size(); ++i) {
            uint64_t slot = entries_[i].hash & mask;
            while (slots[slot] != 0) slot = (slot + 1) & mask;
            slots[slot] = slot_entry(entries_[i].hash, static_cast<int64_t>(i));
        }
        slots_.swap(slots);
    }

    std::vector<uint64_t> slots_;
    std::vector<Entry> entries_;
};

}  // namespace alternant
