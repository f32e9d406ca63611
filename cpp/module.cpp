// The module `alternant._kernels`: stateless functions over arrays that Python allocated.
#include "binding.hpp"

#include <stdexcept>

namespace alternant {

void require(bool condition, const char* message) {
    if (!condition) throw std::invalid_argument(message);
}

Call::Call(int n_threads, const std::optional<StopFlag>& stop) {
    require(n_threads >= 1, "n_threads must be at least 1");
    options_.n_threads = n_threads;
    options_.stop = stop ? stop->data() : nullptr;
    options_.poll = &Call::poll;
    options_.poll_context = this;
}

bool Call::poll(void* self) {
    const nb::gil_scoped_acquire gil;
    auto* call = static_cast<Call*>(self);
    if (PyErr_CheckSignals() != 0) call->signalled_ = true;
    return call->signalled_;
}

bool Call::finish(RunStatus status) {
    if (signalled_) throw nb::python_error();
    if (status == RunStatus::out_of_memory) throw std::bad_alloc();
    return status == RunStatus::stopped;
}

}  // namespace alternant

NB_MODULE(_kernels, m) {
    m.doc() = "Compiled kernels of alternant; imported by alternant.kernels only.";
    alternant::bind_isa(m);
    alternant::bind_rows(m);
    alternant::bind_dense(m);
    alternant::bind_biases(m);
    alternant::bind_prior(m);
    alternant::bind_topk(m);
    alternant::bind_ids(m);
    alternant::bind_numbering(m);
    alternant::bind_csr(m);
    alternant::bind_random(m);
    alternant::bind_inverses(m);
    alternant::bind_peaks(m);
}
