// Probing of hash tables from labels to positions: open addressing, linear probing.
//
// A slot is (upper half of the hash) << 32 | position + 1; 0 is an empty slot. The lower half of the hash
// picks the slot.
#pragma once

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

}  // namespace alternant
