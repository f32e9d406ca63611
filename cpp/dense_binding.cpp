#include "binding.hpp"

namespace alternant {

void bind_dense(nb::module_&) {}

}  // namespace alternant
