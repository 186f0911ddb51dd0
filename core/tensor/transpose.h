// Rows to columns.
#pragma once

#include <cstdint>

namespace convoy {

/// to[j * to_stride + i] = from[i * from_stride + j] for i < rows and j < columns. On the calling
/// thread; `to` must not overlap `from`.
struct Transpose {
  std::int64_t rows;
  std::int64_t columns;
  const float* from;
  std::int64_t from_stride;
  float* to;
  std::int64_t to_stride;
};
void transpose(const Transpose& t);

}  // namespace convoy
