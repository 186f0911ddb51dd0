#include "core/nn/size2.h"

#include <fmt/format.h>

namespace convoy::nn {

std::string Size2::str() const {
  return fmt::format("({}, {})", h, w);
}

std::string Size2::short_str() const {
  return h == w ? fmt::format("{}", h) : str();
}

}  // namespace convoy::nn
