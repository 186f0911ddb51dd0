// Where the pixels of Winograd's tiles are, and the matrices that are made of them. For
// conv2d_winograd.cc and conv2d_winograd_weight.cc alone.
#pragma once

#include <array>
#include <cstdint>

#include "core/nn/conv2d_geometry.h"
#include "core/nn/winograd_kernel.h"
#include "core/nn/winograd_tiles.h"

namespace convoy::nn {

/// Of a matrix (rows, row) of one point, in floats. Not a multiple of 4 KiB, or all points of a
/// channel would meet in one set of the cache.
inline std::int64_t winograd_matrix(std::int64_t rows, std::int64_t row) {
  return (rows * row + 15) / 16 * 16 + 16;
}

/// Where a tile's pixels lie in images (any, height, width, channels), row by row; `outside` stands
/// for those that lie outside the image.
template <typename Float>
class WinogradPixels {
 public:
  struct Images {
    Float* data;
    std::int64_t height;
    std::int64_t width;
    std::int64_t channels;
  };
  struct Area {
    std::int64_t image;
    std::int64_t top;
    std::int64_t left;
    std::int64_t high;
    std::int64_t wide;
  };

  WinogradPixels(const Images& images, const Area& area, Float* outside) {
    Float** pixel = at_.data();
    for (std::int64_t row = area.top; row < area.top + area.high; ++row) {
      const bool row_inside = row >= 0 && row < images.height;
      const std::int64_t pixels = (area.image * images.height + row) * images.width + area.left;
      Float* first = images.data + pixels * images.channels;
      for (std::int64_t s = 0; s < area.wide; ++s) {
        const bool inside = row_inside && area.left + s >= 0 && area.left + s < images.width;
        *pixel++ = inside ? first + s * images.channels : outside;
      }
    }
  }

  Float* const* data() const { return at_.data(); }

 private:
  std::array<Float*, kWinogradPoints> at_;
};

/// The outputs of a tile, of arrays (any, P, Q, K).
template <typename Float>
WinogradPixels<Float> winograd_outputs(const ConvGeometry& g, Float* y, const WinogradTile& tile) {
  return {{y, g.p, g.q, g.k},
          {.image = tile.image,
           .top = tile.row,
           .left = tile.column,
           .high = tile.size.high,
           .wide = tile.size.wide},
          nullptr};
}

/// A matrix (places, row) for each point, of which `row` floats may be more than there are
/// channels.
struct WinogradMatrices {
  float* data;
  std::int64_t row;
  std::int64_t stride;  // from a point to the next

  float* at(std::int64_t point, std::int64_t place) const {
    return data + point * stride + place * row;
  }
};

/// What winograd_input_kernel makes of a tile's pixels, of images x (any, H, W, C), at `place`; C
/// floats of `zeros` are the padding.
inline void winograd_transform_input(const ConvGeometry& g, const float* x,
                                     const WinogradTile& tile, const float* zeros,
                                     const WinogradMatrices& v, std::int64_t place) {
  static const auto transform = winograd_input_kernel();
  const WinogradPixels<const float> pixels({x, g.h, g.w, g.c},
                                           {.image = tile.image,
                                            .top = tile.row - g.top,
                                            .left = tile.column - g.left,
                                            .high = tile.size.high + 2,
                                            .wide = tile.size.wide + 2},
                                           zeros);
  transform(tile.size, pixels.data(), g.c, v.at(0, place), v.stride);
}

}  // namespace convoy::nn
