// Run independent chunks on a few threads. Knows nothing of Python but the poll that its caller hands in.
#pragma once

#include <cstddef>
#include <cstdint>

namespace alternant {

enum class RunStatus { done, stopped, out_of_memory };

struct RunOptions {
    int n_threads = 1;
    const int32_t* stop =
        nullptr;  // optional, read atomically: a non-zero value ends the run between two chunks
    bool (*poll)(void* context) =
        nullptr;  // optional: asked by the calling thread about every 50 ms; true stops
    void* poll_context = nullptr;
};

// Call body(context, chunk, scratch) once for each chunk in [0, n_chunks).
//
// Chunks are handed out in ascending order, so when chunk c was handed out, so were all before it, and each
// one that was handed out runs to its end: what is reported about the first failing row does not depend on
// the number of threads. A body that returns false (a failure) keeps later chunks from being handed out.
// `scratch_bytes` of 64-byte aligned memory per thread, uninitialised, are freed on return. Threads live for
// one call: there is nothing that a fork could break. Denormals are flushed to zero in all of them.
RunStatus run_chunks(int64_t n_chunks, const RunOptions& options, size_t scratch_bytes,
                     bool (*body)(void* context, int64_t chunk, void* scratch), void* context);

}  // namespace alternant
