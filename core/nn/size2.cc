#include "core/nn/size2.h"

#include <fmt/format.h>

namespace convoy::nn {

std::string Size2::str() const {
  return fmt::format("({}, {})", h, w);
}

}  // namespace convoy::nn
