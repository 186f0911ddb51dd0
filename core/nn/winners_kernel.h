// What the winners of max-pooling windows give to the gradients of the convolution before them,
// compiled once per instruction set. A window has one winner per channel; those whose gradient is
// zero are left out. All are thread safe, and add up in the order of the winners.
#pragma once

#include <cstdint>

#include "core/base/isa.h"

namespace convoy::nn {

/// sums[r][j] += gradients[i] * x[offset[i] + r * x_stride + j] for i < count, r < rows, and j <
/// columns; offsets are those bits of 32-bit integers. A register tile holds so many sums at most:
constexpr std::int64_t kWinnerBlockRows = 3;
constexpr std::int64_t kWinnerBlockColumns = 96;
struct WinnerBlock {
  const float* gradients;
  const float* offsets;
  std::int64_t count;
  const float* x;
  std::int64_t x_stride;
  float* sums;
  std::int64_t sums_stride;
  std::int64_t rows;     ///< <= kWinnerBlockRows
  std::int64_t columns;  ///< <= kWinnerBlockColumns, whole multiples of kWinnerColumns
};
constexpr std::int64_t kWinnerColumns = 16;
CONVOY_KERNEL(add_winner_block, (const WinnerBlock& block))

/// From here on windows are of 2 x 2 places, side by side.
constexpr std::int64_t kWindowPlaces = 4;

/// Lists are written to as many elements beyond what they hold.
constexpr std::int64_t kWinnerSlack = 16;

/// Lists the winners of `windows` windows, of each window by place: counts[window][place] of them.
/// The offset of a winner is its channel times `offset_step`.
struct WinnerSort {
  const float* gradients;      ///< channel c of window w at [w * stride + c]
  const std::uint8_t* places;  ///< alike
  std::int64_t windows;
  std::int64_t stride;
  std::int64_t channels;
  std::int32_t offset_step;
  float* sorted_gradients;       ///< windows * channels, and slack
  std::int32_t* sorted_offsets;  ///< alike
  std::int32_t* counts;          ///< (windows, kWindowPlaces)
};
CONVOY_KERNEL(sort_winners, (const WinnerSort& sort))

/// Adds the patch of 4 x 4 pixels that each of p x q windows reaches through a 3 x 3 kernel:
///   area[2 p + place / 2 + r][2 q + place % 2 + s][c] += gradient * weight[offset + r * 3 + s][c]
/// for sorted winners, with 0 <= c < kWinnerColumns; area is (2 P + 2, 2 Q + 2, kWinnerColumns).
struct WinnerPatches {
  const float* gradients;
  const std::int32_t* offsets;
  const std::int32_t* counts;
  std::int64_t p;
  std::int64_t q;
  const float* weight;
  float* area;
};
CONVOY_KERNEL(add_winner_patches, (const WinnerPatches& patches))

}  // namespace convoy::nn
