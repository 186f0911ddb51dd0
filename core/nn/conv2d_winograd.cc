#include "core/nn/conv2d_winograd.h"

#include <algorithm>
#include <array>

#include "core/base/parallel.h"
#include "core/blis/brgemm.h"
#include "core/nn/winograd_kernel.h"
#include "core/nn/winograd_tiles.h"

namespace convoy::nn {
namespace {

constexpr std::int64_t kPoints = 36;

// With fewer channels the transforms cost what the products save. AVX-512, of the direct way's
// speed: 1.1 at 8 to 16 channels, 1.58 at 16 to 8, 1.56 at 8 to 64, 0.98 at 64 to 8, 1.09 at 8 to 8
// (AVX2: 0.86).
bool channels_suffice(const ConvGeometry& g) {
  return g.c >= 8 && g.k >= 8 && g.c * g.k >= 128;
}

// Tiles at once, at most: for the channel numbers of small networks both transforms then stay in
// the second-level cache, or almost (of the tutorial's 56 are faster than 42, by 1.03, and 84 or
// 128 are not). A weight that is too large for the cache is read again for each block, so there
// blocks are larger (AVX-512, 512 to 512 channels: 1.2 times the speed).
std::int64_t block(const ConvGeometry& g) {
  constexpr std::int64_t kBlock = 56;
  constexpr std::int64_t kLargeBlock = 168;
  constexpr std::int64_t kLargeWeight = 3 << 20;
  const std::int64_t most = kPoints * g.c * g.k < kLargeWeight ? kBlock : kLargeBlock;
  return std::clamp<std::int64_t>(g.n * winograd_tiles(g), 1, most);
}

// Outputs whose weights lie together, channel by channel, so that a register tile reads them from
// one end to the other.
constexpr std::int64_t kPanel = 64;

// Of one of the matrices of a block. Not a multiple of 4 KiB, or all points of a channel
// would meet in one set of the cache.
std::int64_t matrix(std::int64_t tiles, std::int64_t channels) {
  return (tiles * channels + 15) / 16 * 16 + 16;
}

// Where a tile's pixels lie in images (any, height, width, channels), row by row; `outside` stands
// for those that lie outside the image.
template <typename Float>
class Pixels {
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

  Pixels(const Images& images, const Area& area, Float* outside) {
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
  std::array<Float*, kPoints> at_;
};

void transform_inputs(const ConvGeometry& g, const float* x, const WinogradBlock& tiles,
                      const float* zeros, float* v, std::int64_t stride) {
  static const auto transform = winograd_input_kernel();
  tiles.for_each_tile([&](const WinogradTile& tile, std::int64_t place) {
    const Pixels<const float> pixels({x, g.h, g.w, g.c},
                                     {.image = tile.image,
                                      .top = tile.row - g.top,
                                      .left = tile.column - g.left,
                                      .high = tile.size.high + 2,
                                      .wide = tile.size.wide + 2},
                                     zeros);
    transform(tile.size, pixels.data(), g.c, v + place * g.c, stride);
  });
}

void transform_outputs(const ConvGeometry& g, const ConvArrays& arrays, const WinogradBlock& tiles,
                       const float* m, std::int64_t stride) {
  static const auto transform = winograd_output_kernel();
  tiles.for_each_tile([&](const WinogradTile& tile, std::int64_t place) {
    const Pixels<float> pixels({arrays.y, g.p, g.q, g.k},
                               {.image = tile.image,
                                .top = tile.row,
                                .left = tile.column,
                                .high = tile.size.high,
                                .wide = tile.size.wide},
                               nullptr);
    transform(tile.size, m + place * g.k, stride, g.k, arrays.bias, pixels.data());
  });
}

}  // namespace

bool winograd_fits(const ConvGeometry& g) {
  return g.r == 3 && g.s == 3 && g.stride == Size2(1) && g.dilation == Size2(1) && g.groups == 1 &&
         (g.mode == PaddingMode::kZeros || !g.has_padding()) && channels_suffice(g) && g.p >= 2 &&
         g.q >= 2;
}

std::int64_t winograd_tiles(const ConvGeometry& g) {
  return winograd_tiles_high(g) * winograd_tiles_wide(g);
}

Tensor winograd_transformed(const ConvGeometry& g, const Tensor& weight) {
  static const auto transform = winograd_weight_kernel();
  const std::int64_t c = weight.shape()[2];
  const std::int64_t k = weight.shape()[3];
  const std::int64_t stride = matrix(c, k);
  const int most_high = static_cast<int>(std::min(kTileOutputs, g.p));
  Tensor transformed({kPoints, stride});
  parallel_shares(c, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t first = 0; first < k; first += kPanel) {
      const std::int64_t width = std::min(kPanel, k - first);
      for (int row = 0; row < 6; ++row) {
        if (winograd_has(most_high, row)) {
          transform({.weight = weight.data() + begin * k + first,
                     .tap_stride = c * k,
                     .channel_stride = k,
                     .channels = end - begin,
                     .count = width,
                     .u = transformed.data() + first * c + begin * width,
                     .stride = stride},
                    row);
        }
      }
    }
  });
  return transformed;
}

std::int64_t winograd_scratch(const ConvGeometry& g) {
  return kPoints * (matrix(block(g), g.c) + matrix(block(g), g.k)) + g.c;
}

void winograd_forward(const ConvGeometry& g, const ConvArrays& arrays, std::int64_t begin,
                      std::int64_t end, std::span<float> scratch) {
  static const auto product = blis::brgemm_kernel();
  const std::int64_t v_stride = matrix(block(g), g.c);
  const std::int64_t m_stride = matrix(block(g), g.k);
  float* v = scratch.data();
  float* m = v + kPoints * v_stride;
  float* zeros = m + kPoints * m_stride;
  std::fill_n(zeros, g.c, 0.0F);
  const std::int64_t blocks = (end - begin + block(g) - 1) / block(g);
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t first = begin + (end - begin) * i / blocks;
    const WinogradBlock tiles(g, first, begin + (end - begin) * (i + 1) / blocks - first);
    transform_inputs(g, arrays.images, tiles, zeros, v, v_stride);
    for (std::int64_t point = 0; point < kPoints; ++point) {
      const auto [from, to] =
          tiles.places_with(static_cast<int>(point / 6), static_cast<int>(point % 6));
      for (std::int64_t panel = 0; panel < g.k && from < to; panel += kPanel) {
        const std::int64_t width = std::min(kPanel, g.k - panel);
        product({.m = to - from,
                 .n = width,
                 .k = g.c,
                 .a = v + point * v_stride + from * g.c,
                 .a_row_stride = g.c,
                 .b = arrays.weight + point * matrix(g.c, g.k) + panel * g.c,
                 .b_row_stride = width,
                 .c = m + point * m_stride + from * g.k + panel,
                 .c_row_stride = g.k});
      }
    }
    transform_outputs(g, arrays, tiles, m, m_stride);
  }
}

}  // namespace convoy::nn
