// Labels (int64 or byte strings), their 64-bit hashes, and where a column of strings keeps them.
//
// The hash of a label is the same on every machine and in every run: start values are drawn by it.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace alternant {

// MurmurHash3's 64-bit finaliser: a bijection, so two integers never share a hash.
inline uint64_t hash_label(int64_t label) {
    auto h = static_cast<uint64_t>(label) + 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

struct Bytes {
    const uint8_t* data;
    int64_t size;
};

inline bool operator==(const Bytes& a, const Bytes& b) {
    return a.size == b.size && (a.size == 0 || std::memcmp(a.data, b.data, static_cast<size_t>(a.size)) == 0);
}

// Byte order, the shorter first: for UTF-8 this is the order of code points.
inline int compare(const Bytes& a, const Bytes& b) {
    const int64_t n = a.size < b.size ? a.size : b.size;
    const int order = n == 0 ? 0 : std::memcmp(a.data, b.data, static_cast<size_t>(n));
    if (order != 0) return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

// The number of up to eight little-endian bytes.
inline uint64_t load_bytes(const uint8_t* p, int64_t n) {
    uint64_t word = 0;
    if (n == 8) {
        std::memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        return word;
    }
    for (int64_t i = 0; i < n; ++i) word |= static_cast<uint64_t>(p[i]) << (8 * i);
    return word;
}

inline uint64_t multiply_fold(uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// A multiply-fold hash in the manner of wyhash: 16 bytes a step, the length mixed in at the end.
inline uint64_t hash_label(const Bytes& label) {
    constexpr uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu, k2 = 0x8ebc6af09c88c6e3u;
    uint64_t h = k0;
    const uint8_t* p = label.data;
    int64_t left = label.size;
    for (; left > 16; left -= 16, p += 16) h = multiply_fold(load_bytes(p, 8) ^ k1, load_bytes(p + 8, 8) ^ h);
    uint64_t low = 0, high = 0;
    if (left > 8) {
        low = load_bytes(p, 8);
        high = load_bytes(p + left - 8, 8);
    } else if (left >= 4) {
        // Two overlapping halves cost less than a loop over single bytes.
        low = load_bytes(p, 4);
        high = load_bytes(p + left - 4, 4);
    } else {
        low = load_bytes(p, left);
    }
    h = multiply_fold(low ^ k1, high ^ h);
    return multiply_fold(h ^ k2, static_cast<uint64_t>(label.size) ^ k1);
}

// A piece of a string column, in one of Arrow's layouts.
struct StringChunk {
    enum class Layout { offsets32, offsets64, views } layout;
    int64_t first_row;  // of the whole column
    int64_t n_rows;
    const void* rows;            // int32 or int64 (n_rows + 1): ends; or 16-byte views (n_rows)
    Bytes data;                  // the bytes that offsets point to
    std::vector<Bytes> buffers;  // the buffers that views point to

    // The string of row i (of this chunk). The file or process that made the column may lie about its
    // offsets.
    // Messages count rows from `row`, which is that of the column's first.
    Bytes get(int64_t i, int64_t row = 0) const {
        if (layout == Layout::views) return view(static_cast<const uint8_t*>(rows) + 16 * i, row + i);
        int64_t begin, end;
        if (layout == Layout::offsets32) {
            begin = static_cast<const int32_t*>(rows)[i];
            end = static_cast<const int32_t*>(rows)[i + 1];
        } else {
            begin = static_cast<const int64_t*>(rows)[i];
            end = static_cast<const int64_t*>(rows)[i + 1];
        }
        if (begin < 0 || begin > end || end > data.size) refuse(row + i);
        return {data.data + begin, end - begin};
    }

  private:
    Bytes view(const uint8_t* v, int64_t i) const {
        int32_t head[4];  // size, first four bytes, buffer, offset
        std::memcpy(head, v, 16);
        if (head[0] < 0) refuse(i);
        if (head[0] <= 12) return {v + 4, head[0]};
        if (head[2] < 0 || head[2] >= static_cast<int64_t>(buffers.size())) refuse(i);
        const Bytes& buffer = buffers[static_cast<size_t>(head[2])];
        if (head[3] < 0 || static_cast<int64_t>(head[3]) + head[0] > buffer.size) refuse(i);
        return {buffer.data + head[3], head[0]};
    }
    [[noreturn]] void refuse(int64_t i) const {
        throw std::invalid_argument("the string of row " + std::to_string(first_row + i) +
                                    " points outside its buffer");
    }
};

}  // namespace alternant
