#include "binding.hpp"

namespace alternant {

void bind_ids(nb::module_&) {}

}  // namespace alternant
