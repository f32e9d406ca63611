#include "isa.hpp"

#include <atomic>
#include <cstring>

#include "binding.hpp"

namespace alternant {

extern const LevelKernels level_portable;
#ifdef ALTERNANT_X86
extern const LevelKernels level_avx2;
extern const LevelKernels level_avx512;
#endif

namespace {

std::atomic<const LevelKernels*> chosen{nullptr};  // read without the GIL

// The levels that this machine runs, best last.
int available(const LevelKernels** levels) {
    int n = 0;
    levels[n++] = &level_portable;
#ifdef ALTERNANT_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) levels[n++] = &level_avx2;
    if (n == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
        levels[n++] = &level_avx512;
    }
#endif
    return n;
}

nb::list isa_levels() {
    const LevelKernels* levels[4];
    const int n = available(levels);
    nb::list names;
    for (int i = 0; i < n; ++i) names.append(levels[i]->name);
    return names;
}

void set_isa(const char* name) {
    const LevelKernels* levels[4];
    const int n = available(levels);
    for (int i = 0; i < n; ++i) {
        if (std::strcmp(levels[i]->name, name) == 0) {
            chosen = levels[i];
            return;
        }
    }
    require(false, "this machine does not run that instruction-set level");
}

}  // namespace

const LevelKernels& kernels() {
    const LevelKernels* level = chosen;
    if (level == nullptr) {
        const LevelKernels* levels[4];
        chosen = level = levels[available(levels) - 1];
    }
    return *level;
}

void bind_isa(nb::module_& m) {
    m.def("isa_levels", &isa_levels, "List the instruction-set levels that this machine runs, best last.");
    m.def("isa", [] { return kernels().name; }, "Name the level in use.");
    m.def("set_isa", &set_isa, nb::arg("name"), "Use one level from now on.");
}

}  // namespace alternant
