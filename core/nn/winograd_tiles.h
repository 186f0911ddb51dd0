// How Winograd's way cuts outputs into tiles, and in which order a block of tiles lies in its
// matrices. For conv2d_winograd.cc and conv2d_winograd_weight.cc alone.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <utility>

#include "core/nn/conv2d_geometry.h"
#include "core/nn/winograd_kernel.h"

namespace convoy::nn {

constexpr std::int64_t kWinogradPoints = 36;

/// Of a whole tile, in each direction. The last one of a row or column may have fewer.
constexpr std::int64_t kTileOutputs = 4;

inline std::int64_t winograd_tiles_wide(const ConvGeometry& g) {
  return (g.q + kTileOutputs - 1) / kTileOutputs;
}
inline std::int64_t winograd_tiles_high(const ConvGeometry& g) {
  return (g.p + kTileOutputs - 1) / kTileOutputs;
}

/// Tiles at once, at most: for the channel numbers of small networks the transforms then stay in
/// the second-level cache, or almost (of the tutorial's 56 are faster than 42, by 1.03, and 84 or
/// 128 are not). A weight that is too large for the cache is read again for each block, so there
/// blocks are larger (AVX-512, forward, 512 to 512 channels: 1.2 times the speed).
inline std::int64_t winograd_block(const ConvGeometry& g) {
  constexpr std::int64_t kBlock = 56;
  constexpr std::int64_t kLargeBlock = 168;
  constexpr std::int64_t kLargeWeight = 3 << 20;
  return kWinogradPoints * g.c * g.k < kLargeWeight ? kBlock : kLargeBlock;
}

/// A tile by its number in all images: its first output, and how many it has.
struct WinogradTile {
  WinogradTile(const ConvGeometry& g, std::int64_t number)
      : image(number / (winograd_tiles_high(g) * winograd_tiles_wide(g))),
        row(number / winograd_tiles_wide(g) % winograd_tiles_high(g) * kTileOutputs),
        column(number % winograd_tiles_wide(g) * kTileOutputs),
        size{.high = static_cast<int>(std::min(kTileOutputs, g.p - row)),
             .wide = static_cast<int>(std::min(kTileOutputs, g.q - column))} {}
  std::int64_t image;
  std::int64_t row;
  std::int64_t column;
  TileSize size;
};

/// Some tiles that follow each other, and their places in the block's matrices. Small tiles do not
/// have all points: the order of kinds lets those that have one lie side by side.
class WinogradBlock {
 public:
  /// Keeps the reference.
  WinogradBlock(const ConvGeometry& g, std::int64_t first, std::int64_t count)
      : g_(g), first_(first) {
    for (std::int64_t i = 0; i < count; ++i) {
      ++begins_[kind(WinogradTile(g, first + i)) + 1];
    }
    std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  }

  /// Calls body(tile, its place) for one of `parts` even shares of the tiles.
  template <typename Body>
  void for_each_tile(std::int64_t part, std::int64_t parts, const Body& body) const {
    auto places = begins_;
    const std::int64_t count = begins_[kKinds];
    const std::int64_t begin = count * part / parts;
    const std::int64_t end = count * (part + 1) / parts;
    for (std::int64_t i = 0; i < end; ++i) {
      const WinogradTile tile(g_, first_ + i);
      const std::int64_t place = places[kind(tile)]++;
      if (i >= begin) {
        body(tile, place);
      }
    }
  }
  /// For all of them.
  template <typename Body>
  void for_each_tile(const Body& body) const {
    for_each_tile(0, 1, body);
  }

  /// First and behind the last of the places of tiles that have this one of the 36 points.
  std::pair<std::int64_t, std::int64_t> places_with(std::int64_t point) const {
    const bool low_have_it = winograd_has(g_.p % kTileOutputs, point / 6);
    const bool narrow_have_it = winograd_has(g_.q % kTileOutputs, point % 6);
    const Kind first = low_have_it ? kLow : kWhole;
    const Kind end = !narrow_have_it ? kNarrow : low_have_it ? kKinds : kLowAndNarrow;
    return {begins_[first], begins_[end]};
  }

 private:
  // Which direction has fewer outputs.
  enum Kind { kLow, kWhole, kNarrow, kLowAndNarrow, kKinds };

  static Kind kind(const WinogradTile& tile) {
    const bool low = tile.size.high < kTileOutputs;
    const bool narrow = tile.size.wide < kTileOutputs;
    return low ? (narrow ? kLowAndNarrow : kLow) : (narrow ? kNarrow : kWhole);
  }

  const ConvGeometry& g_;
  std::int64_t first_;
  std::array<std::int64_t, kKinds + 1> begins_{};  // of each kind's places
};

}  // namespace convoy::nn
