#include "threads.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <thread>
#include <vector>

#ifdef ALTERNANT_X86
#include <immintrin.h>
#endif

namespace alternant {
namespace {

// Over-regularised models drift into denormals, where x86 is up to ten times slower.
class FlushDenormals {
  public:
#ifdef ALTERNANT_X86
    FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }
    ~FlushDenormals() { _mm_setcsr(saved_); }

  private:
    unsigned saved_;
#endif
};

struct Run {
    int64_t n_chunks;
    const RunOptions& options;
    size_t scratch_bytes;
    bool (*body)(void*, int64_t, void*);
    void* context;
    std::atomic<int64_t> next{0};
    std::atomic<bool> ended{false};  // no further chunk is handed out
    std::atomic<bool> stopped{false};
    std::atomic<bool> out_of_memory{false};

    void work(bool is_caller) {
        const FlushDenormals flush;
        void* scratch = nullptr;
        if (scratch_bytes != 0) {
            scratch = ::operator new(scratch_bytes, std::align_val_t{64}, std::nothrow);
            if (scratch == nullptr) {
                out_of_memory = true;
                ended = true;
                return;
            }
        }
        auto polled = std::chrono::steady_clock::now();
        while (!ended) {
            if (options.stop != nullptr && __atomic_load_n(options.stop, __ATOMIC_RELAXED) != 0) {
                stopped = true;
                break;
            }
            if (is_caller && options.poll != nullptr) {
                const auto now = std::chrono::steady_clock::now();
                if (now - polled > std::chrono::milliseconds(50)) {
                    polled = now;
                    if (options.poll(options.poll_context)) {
                        stopped = true;
                        ended = true;
                        break;
                    }
                }
            }
            const int64_t chunk = next.fetch_add(1);
            if (chunk >= n_chunks) break;
            if (!body(context, chunk, scratch)) ended = true;
        }
        if (stopped) ended = true;
        if (scratch != nullptr) ::operator delete(scratch, std::align_val_t{64});
    }
};

}  // namespace

RunStatus run_chunks(int64_t n_chunks, const RunOptions& options, size_t scratch_bytes,
                     bool (*body)(void* context, int64_t chunk, void* scratch), void* context) {
    Run run{n_chunks, options, scratch_bytes, body, context};
    std::vector<std::thread> threads;
    const int64_t wanted = options.n_threads < n_chunks ? options.n_threads : n_chunks;
    for (int64_t t = 1; t < wanted; ++t) {
        try {
            threads.emplace_back([&run] { run.work(false); });
        } catch (const std::exception&) {
            // A machine that grants fewer threads, or no memory for them, gives the same result, later;
            // threads that run already must be joined.
            break;
        }
    }
    run.work(true);
    for (auto& thread : threads) thread.join();
    if (run.out_of_memory) return RunStatus::out_of_memory;
    return run.stopped ? RunStatus::stopped : RunStatus::done;
}

}  // namespace alternant
