// An int or a (height, width) pair, as PyTorch's layers take them.
#pragma once

#include <cstdint>
#include <string>

namespace convoy::nn {

/// `Size2 kernel_size = 3` is 3 by 3; `Size2 kernel_size = {3, 5}` is 3 high and 5 wide.
struct Size2 {
  std::int64_t h = 0;
  std::int64_t w = 0;

  constexpr Size2(std::int64_t both) : h(both), w(both) {}  // NOLINT: an int is a pair of itself
  constexpr Size2(std::int64_t height, std::int64_t width) : h(height), w(width) {}

  /// "(3, 5)"
  std::string str() const;
  /// "3" if both are, else "(3, 5)": as PyTorch's pooling layers print theirs.
  std::string short_str() const;

  friend bool operator==(const Size2&, const Size2&) = default;
};

}  // namespace convoy::nn
