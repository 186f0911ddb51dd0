#include "core/tensor/transpose_kernel.h"

#include <utility>

#include "core/base/vec.h"

namespace convoy::CONVOY_ISA_NAMESPACE {
namespace {

using std::int64_t;

constexpr int kSide = Vec::kWidth;
using Row = float __attribute__((vector_size(kSide * sizeof(float))));

// The first half of a and of b, element by element in turn; or the second.
template <bool second, int... i>
Row interleave(Row a, Row b, std::integer_sequence<int, i...> /*lanes*/) {
  constexpr int kFirst = second ? kSide / 2 : 0;
  return __builtin_shufflevector(a, b, (kFirst + i / 2 + i % 2 * kSide)...);
}

// One block of full size. Each turn interleaves rows that are half a block apart; after as many
// turns as kSide has bits, every element has moved to its column.
void transpose_block(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  constexpr std::make_integer_sequence<int, kSide> kLanes;
  Row rows[kSide];
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) {
    __builtin_memcpy(&rows[i], from + i * from_stride, sizeof(Row));
  }
#pragma GCC unroll 4
  for (int bit = 1; bit < kSide; bit *= 2) {
    Row next[kSide];
#pragma GCC unroll 8
    for (int i = 0; i < kSide / 2; ++i) {
      next[2 * i] = interleave<false>(rows[i], rows[i + kSide / 2], kLanes);
      next[2 * i + 1] = interleave<true>(rows[i], rows[i + kSide / 2], kLanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kSide; ++i) {
      rows[i] = next[i];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) {
    __builtin_memcpy(to + i * to_stride, &rows[i], sizeof(Row));
  }
}

}  // namespace

void transpose_blocks(const Transpose& t) {
  for (int64_t row = 0; row < t.rows; row += kSide) {
    for (int64_t column = 0; column < t.columns; column += kSide) {
      const float* from = t.from + row * t.from_stride + column;
      float* to = t.to + column * t.to_stride + row;
      if (row + kSide <= t.rows && column + kSide <= t.columns) {
        transpose_block(from, t.from_stride, to, t.to_stride);
        continue;
      }
      for (int64_t i = 0; i < kSide && row + i < t.rows; ++i) {
        for (int64_t j = 0; j < kSide && column + j < t.columns; ++j) {
          to[j * t.to_stride + i] = from[i * t.from_stride + j];
        }
      }
    }
  }
}

}  // namespace convoy::CONVOY_ISA_NAMESPACE
