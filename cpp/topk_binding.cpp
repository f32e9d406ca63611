#include "binding.hpp"

namespace alternant {

void bind_topk(nb::module_&) {}

}  // namespace alternant
