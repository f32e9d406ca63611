#include "binding.hpp"

namespace alternant {

void bind_csr(nb::module_&) {}

}  // namespace alternant
