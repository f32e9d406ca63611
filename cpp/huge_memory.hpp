// Memory for tables that are read at random: on huge pages where the system has them (Linux), which halves
// the time of an access that misses the caches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace alternant {

struct FreeMemory {
    void operator()(uint8_t* memory) const { std::free(memory); }
};
using HugeMemory = std::unique_ptr<uint8_t[], FreeMemory>;

// At least `bytes` bytes, aligned to 64; what they hold is undefined.
inline HugeMemory huge_memory(size_t bytes) {
    constexpr size_t page = size_t{1} << 21;
    const size_t alignment = bytes < 2 * page ? 64 : page;
    const size_t whole = (bytes + alignment - 1) / alignment * alignment;
    auto* memory =
        static_cast<uint8_t*>(std::aligned_alloc(alignment, whole < alignment ? alignment : whole));
    if (memory == nullptr) throw std::bad_alloc();
#ifdef __linux__
    if (alignment == page) madvise(memory, whole, MADV_HUGEPAGE);  // refused: slower, nothing else
#endif
    return HugeMemory(memory);
}

}  // namespace alternant
