#include "core/nn/conv2d_winograd.h"

#include <algorithm>
#include <array>

#include "core/blis/brgemm.h"
#include "core/nn/winograd_kernel.h"

namespace convoy::nn {
namespace {

// Tiles at once, at most: both transforms then stay in the second-level cache for the channel
// numbers of small networks. A weight that is too large for the cache is read again for each block,
// so there blocks are larger (AVX-512, 512 to 512 channels: 1.2 times the speed).
std::int64_t block(const ConvGeometry& g) {
  constexpr std::int64_t kBlock = 42;
  constexpr std::int64_t kLargeBlock = 168;
  constexpr std::int64_t kLargeWeight = 3 << 20;
  const std::int64_t most = kWinogradPoints * g.c * g.k < kLargeWeight ? kBlock : kLargeBlock;
  return std::clamp<std::int64_t>(g.n * winograd_tiles(g), 1, most);
}

// Outputs whose weights lie together, channel by channel, so that a register tile reads them from
// one end to the other.
constexpr std::int64_t kPanel = 64;

// With fewer channels the transforms cost what the products save (AVX-512, of the direct way's
// speed: 0.6 at 8 to 16 channels, 0.9 at 16 to 8 and 8 to 64, 0.96 at 16 to 16, 1.25 at 32 to
// 8, 1.3 at 16 to 64).
bool channels_suffice(const ConvGeometry& g) {
  return g.c >= 16 && g.k >= 8 && g.c * g.k >= 256;
}

// Of one of the 16 matrices of a block. Not a multiple of 4 KiB, or all 16 points of a channel
// would meet in one set of the cache.
std::int64_t matrix(std::int64_t tiles, std::int64_t channels) {
  return (tiles * channels + 15) / 16 * 16 + 16;
}

std::int64_t tiles_high(const ConvGeometry& g) {
  return (g.p + 1) / 2;
}

std::int64_t tiles_wide(const ConvGeometry& g) {
  return (g.q + 1) / 2;
}

// A tile by its number in all images.
struct Tile {
  Tile(const ConvGeometry& g, std::int64_t number)
      : image(number / winograd_tiles(g)),
        row(number % winograd_tiles(g) / tiles_wide(g) * 2),
        column(number % tiles_wide(g) * 2) {}
  std::int64_t image;
  std::int64_t row;     // of its first output
  std::int64_t column;  // of its first output
};

// `side` x `side` pixels of images (any, height, width, channels); `outside` stands for those that
// lie outside the image.
template <int side, typename Float>
struct Pixels {
  struct Images {
    Float* data;
    std::int64_t height;
    std::int64_t width;
    std::int64_t channels;
  };

  Pixels(const Images& images, std::int64_t image, std::int64_t top, std::int64_t left,
         Float* outside) {
    for (std::int64_t r = 0; r < side; ++r) {
      const std::int64_t row = top + r;
      const bool row_inside = row >= 0 && row < images.height;
      Float* first =
          images.data + ((image * images.height + row) * images.width + left) * images.channels;
      for (std::int64_t s = 0; s < side; ++s) {
        const bool inside = row_inside && left + s >= 0 && left + s < images.width;
        at[static_cast<std::size_t>(r * side + s)] = inside ? first + s * images.channels : outside;
      }
    }
  }
  std::array<Float*, static_cast<std::size_t>(side* side)> at;
};

void transform_inputs(const ConvGeometry& g, const float* x, std::int64_t begin, std::int64_t end,
                      const float* zeros, float* v, std::int64_t stride) {
  static const auto kernel = winograd_input_kernel();
  for (std::int64_t number = begin; number < end; ++number) {
    const Tile tile(g, number);
    const Pixels<4, const float> pixels({x, g.h, g.w, g.c}, tile.image, tile.row - g.top,
                                        tile.column - g.left, zeros);
    kernel(pixels.at.data(), g.c, v + (number - begin) * g.c, stride);
  }
}

}  // namespace

bool winograd_fits(const ConvGeometry& g) {
  return g.r == 3 && g.s == 3 && g.stride == Size2(1) && g.dilation == Size2(1) && g.groups == 1 &&
         (g.mode == PaddingMode::kZeros || !g.has_padding()) && channels_suffice(g) && g.p >= 2 &&
         g.q >= 2;
}

std::int64_t winograd_tiles(const ConvGeometry& g) {
  return tiles_high(g) * tiles_wide(g);
}

Tensor winograd_transformed(const Tensor& weight) {
  static const auto kernel = winograd_weight_kernel();
  const std::int64_t c = weight.shape()[2];
  const std::int64_t k = weight.shape()[3];
  Tensor transformed({kWinogradPoints, c, k});
  for (std::int64_t first = 0; first < k; first += kPanel) {
    const std::int64_t width = std::min(kPanel, k - first);
    for (std::int64_t channel = 0; channel < c; ++channel) {
      kernel(weight.data() + channel * k + first, c * k, width,
             transformed.data() + first * c + channel * width, c * k);
    }
  }
  return transformed;
}

std::int64_t winograd_scratch(const ConvGeometry& g) {
  return kWinogradPoints * (matrix(block(g), g.c) + matrix(block(g), g.k)) + g.c + g.k;
}

void winograd_forward(const ConvGeometry& g, const ConvArrays& arrays, std::int64_t begin,
                      std::int64_t end, std::span<float> scratch) {
  static const auto product = blis::brgemm_kernel();
  static const auto output = winograd_output_kernel();
  const std::int64_t v_stride = matrix(block(g), g.c);
  const std::int64_t m_stride = matrix(block(g), g.k);
  float* v = scratch.data();
  float* m = v + kWinogradPoints * v_stride;
  float* zeros = m + kWinogradPoints * m_stride;
  float* nowhere = zeros + g.c;
  std::fill_n(zeros, g.c, 0.0F);
  const std::int64_t blocks = (end - begin + block(g) - 1) / block(g);
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t first = begin + (end - begin) * i / blocks;
    const std::int64_t tiles = begin + (end - begin) * (i + 1) / blocks - first;
    transform_inputs(g, arrays.images, first, first + tiles, zeros, v, v_stride);
    for (std::int64_t point = 0; point < kWinogradPoints; ++point) {
      for (std::int64_t panel = 0; panel < g.k; panel += kPanel) {
        const std::int64_t width = std::min(kPanel, g.k - panel);
        product({.m = tiles,
                 .n = width,
                 .k = g.c,
                 .a = v + point * v_stride,
                 .a_row_stride = g.c,
                 .b = arrays.weight + (point * g.k + panel) * g.c,
                 .b_row_stride = width,
                 .c = m + point * m_stride + panel,
                 .c_row_stride = g.k});
      }
    }
    for (std::int64_t j = 0; j < tiles; ++j) {
      const Tile tile(g, first + j);
      const Pixels<2, float> pixels({arrays.y, g.p, g.q, g.k}, tile.image, tile.row, tile.column,
                                    nowhere);
      output(m + j * g.k, m_stride, g.k, arrays.bias, pixels.at.data());
    }
  }
}

}  // namespace convoy::nn
