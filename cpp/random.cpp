#include "binding.hpp"

namespace alternant {

void bind_random(nb::module_&) {}

}  // namespace alternant
