// Counter-based random numbers: the number at (seed, purpose, side, sweep, id, column) depends on those and
// nothing else, so that start values do not move when threads, blocks or machines change or an id is added.
//
// The generator is Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405); normals by Box and
// Muller.
#include <cmath>
#include <cstdint>

#include "binding.hpp"

namespace alternant {
namespace {

struct Counter {
    uint32_t word[4];
};

Counter philox(Counter c, uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
        const uint64_t a = 0xD2511F53ull * c.word[0], b = 0xCD9E8D57ull * c.word[2];
        c = {{(uint32_t)(b >> 32) ^ c.word[1] ^ key0, (uint32_t)b, (uint32_t)(a >> 32) ^ c.word[3] ^ key1,
              (uint32_t)a}};
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return c;
}

// In (0, 1], so that its logarithm is finite.
double uniform(uint32_t word) {
    return ((double)word + 1.0) * 0x1p-32;
}

void two_normals(uint32_t a, uint32_t b, float* out, int64_t count) {
    const double radius = std::sqrt(-2.0 * std::log(uniform(a)));
    const double angle = 6.283185307179586 * uniform(b);
    out[0] = (float)(radius * std::cos(angle));
    if (count > 1) out[1] = (float)(radius * std::sin(angle));
}

// Row i of out: standard normals of the id with hash ids[i]; `stream` packs purpose, side and sweep.
bool standard_normal(In1<uint64_t> ids, uint64_t seed, uint32_t stream, Out2<float> out, int n_threads) {
    const int64_t n = (int64_t)ids.shape(0), width = (int64_t)out.shape(1);
    require((int64_t)out.shape(0) == n, "out must have one row per id");
    struct Run {
        const uint64_t* ids;
        uint64_t seed;
        uint32_t stream;
        float* out;
        int64_t n, width;
    } run{ids.data(), seed, stream, out.data(), n, width};
    constexpr int64_t rows = 512;
    Call call(n_threads, std::nullopt);
    RunStatus status;
    {
        const nb::gil_scoped_release release;
        status = run_chunks(
            (n + rows - 1) / rows, call.options(), 0,
            [](void* self, int64_t chunk, void*) {
                auto& r = *static_cast<Run*>(self);
                for (int64_t i = chunk * rows; i < r.n && i < (chunk + 1) * rows; ++i) {
                    float* row = r.out + i * r.width;
                    for (int64_t c = 0; c < r.width; c += 4) {
                        const Counter words = philox(
                            {{(uint32_t)r.ids[i], (uint32_t)(r.ids[i] >> 32), (uint32_t)(c / 4), r.stream}},
                            (uint32_t)r.seed, (uint32_t)(r.seed >> 32));
                        two_normals(words.word[0], words.word[1], row + c, r.width - c);
                        if (c + 2 < r.width)
                            two_normals(words.word[2], words.word[3], row + c + 2, r.width - c - 2);
                    }
                }
                return true;
            },
            &run);
    }
    return call.finish(status);
}

}  // namespace

void bind_random(nb::module_& m) {
    m.def("standard_normal", &standard_normal, nb::arg("ids").noconvert(), nb::arg("seed"), nb::arg("stream"),
          nb::arg("out").noconvert(), nb::arg("n_threads"),
          "Fill row i of out with standard normals that depend on ids[i], seed, stream and the column only.");
}

}  // namespace alternant
