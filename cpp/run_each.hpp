// run_chunks for bodies that may throw: the first exception of any thread is thrown again by the caller.
#pragma once

#include <exception>
#include <mutex>

#include "threads.hpp"

namespace alternant {

// Call body(chunk) for each chunk in [0, n_chunks); see run_chunks for order and stopping.
template <class Body>
RunStatus run_each(int64_t n_chunks, const RunOptions& options, Body body) {
    struct Context {
        Body& body;
        std::mutex mutex;
        std::exception_ptr error;
    } context{body, {}, nullptr};
    const RunStatus status = run_chunks(
        n_chunks, options, 0,
        [](void* opaque, int64_t chunk, void*) {
            auto& shared = *static_cast<Context*>(opaque);
            try {
                shared.body(chunk);
                return true;
            } catch (...) {
                const std::lock_guard<std::mutex> lock(shared.mutex);
                if (!shared.error) shared.error = std::current_exception();
                return false;
            }
        },
        &context);
    if (context.error) std::rethrow_exception(context.error);
    return status;
}

// The rows [begin, end) of chunk number `chunk`, when n rows are cut into chunks of `size`.
struct Span {
    int64_t begin, end;
};
inline Span span_of(int64_t chunk, int64_t size, int64_t n) {
    const int64_t begin = chunk * size;
    return {begin, begin + size < n ? begin + size : n};
}
inline int64_t chunks_of(int64_t n, int64_t size) {
    return n / size + (n % size != 0);
}

}  // namespace alternant
