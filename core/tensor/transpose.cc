#include "core/tensor/transpose.h"

#include <algorithm>

namespace convoy {
namespace {

// A cache line of floats: blocks of this side read and write whole lines.
constexpr std::int64_t kSide = 16;

}  // namespace

void transpose(const Transpose& t) {
  for (std::int64_t row = 0; row < t.rows; row += kSide) {
    const std::int64_t rows = std::min(kSide, t.rows - row);
    for (std::int64_t column = 0; column < t.columns; column += kSide) {
      const std::int64_t columns = std::min(kSide, t.columns - column);
      for (std::int64_t j = 0; j < columns; ++j) {
        const float* from = t.from + row * t.from_stride + column + j;
        float* to = t.to + (column + j) * t.to_stride + row;
        for (std::int64_t i = 0; i < rows; ++i) {
          to[i] = from[i * t.from_stride];
        }
      }
    }
  }
}

}  // namespace convoy
