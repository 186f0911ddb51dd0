// How far rows of a scratch matrix lie apart in memory.
#pragma once

#include <cstdint>

namespace convoy::nn {

/// Elements from one row of `columns` to the next: an odd number of cache lines. At multiples of
/// 4 KiB, as a layer of 2048 floats has, all rows of a register tile would meet in one set of the
/// first-level cache, and push each other out.
template <typename T>
constexpr std::int64_t spaced_row(std::int64_t columns) {
  constexpr std::int64_t kLine = 64 / static_cast<std::int64_t>(sizeof(T));
  return ((columns + kLine - 1) / kLine | 1) * kLine;
}

}  // namespace convoy::nn
