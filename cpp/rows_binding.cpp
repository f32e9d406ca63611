#include "binding.hpp"

namespace alternant {

void bind_rows(nb::module_&) {}

}  // namespace alternant
