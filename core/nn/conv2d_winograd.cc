#include "core/nn/conv2d_winograd.h"

#include <algorithm>
#include <array>

#include "core/base/parallel.h"
#include "core/blis/brgemm.h"
#include "core/nn/winograd_kernel.h"

namespace convoy::nn {
namespace {

// F(outputs x outputs, 3 x 3), and from how many channels, and weights a tap, on it pays.
struct Form {
  std::int64_t outputs;
  std::int64_t least_c;
  std::int64_t least_weights;
  decltype(winograd2_input_kernel()) input;
  decltype(winograd2_output_kernel()) output;
  decltype(winograd2_weight_kernel()) weight;

  std::int64_t inputs() const { return outputs + 2; }
  std::int64_t points() const { return inputs() * inputs(); }
  std::int64_t tiles_wide(const ConvGeometry& g) const { return (g.q + outputs - 1) / outputs; }
  std::int64_t tiles(const ConvGeometry& g) const {
    return (g.p + outputs - 1) / outputs * tiles_wide(g);
  }
  std::int64_t products(const ConvGeometry& g) const { return points() * tiles(g); }
};

// The one with fewer products. With fewer channels than they ask for the transforms cost what the
// products save. AVX-512, of the direct way's speed, tiles of 4 x 4: 1.1 at 8 to 16 channels, 1.58
// at 16 to 8, 1.56 at 8 to 64, 0.98 at 64 to 8, 1.09 at 8 to 8 (AVX2: 0.86). Of 2 x 2: 0.6 at 8 to
// 16, 0.9 at 16 to 8 and 8 to 64, 0.96 at 16 to 16, 1.25 at 32 to 8, 1.3 at 16 to 64.
const Form& form(const ConvGeometry& g) {
  static const Form two{.outputs = 2,
                        .least_c = 16,
                        .least_weights = 256,
                        .input = winograd2_input_kernel(),
                        .output = winograd2_output_kernel(),
                        .weight = winograd2_weight_kernel()};
  static const Form four{.outputs = 4,
                         .least_c = 8,
                         .least_weights = 128,
                         .input = winograd4_input_kernel(),
                         .output = winograd4_output_kernel(),
                         .weight = winograd4_weight_kernel()};
  return four.products(g) < two.products(g) ? four : two;
}

bool channels_suffice(const ConvGeometry& g) {
  return g.c >= form(g).least_c && g.k >= 8 && g.c * g.k >= form(g).least_weights;
}

// Tiles at once, at most: for the channel numbers of small networks both transforms then stay in
// the second-level cache, or almost (64 to 128 channels, tiles of 4 x 4: 12 to 60 are within 3 % of
// each other, 84 take 1.05 times as long). A weight that is too large for the cache is read again
// for each block, so there blocks are larger (AVX-512, 512 to 512 channels: 1.2 times the speed).
std::int64_t block(const ConvGeometry& g) {
  constexpr std::int64_t kBlock = 42;
  constexpr std::int64_t kLargeBlock = 168;
  constexpr std::int64_t kLargeWeight = 3 << 20;
  const std::int64_t most = form(g).points() * g.c * g.k < kLargeWeight ? kBlock : kLargeBlock;
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

// The first output of a tile by its number in all images.
struct Tile {
  Tile(const ConvGeometry& g, const Form& f, std::int64_t number)
      : image(number / f.tiles(g)),
        row(number % f.tiles(g) / f.tiles_wide(g) * f.outputs),
        column(number % f.tiles_wide(g) * f.outputs) {}
  std::int64_t image;
  std::int64_t row;
  std::int64_t column;
};

// `side` x `side` pixels of images (any, height, width, channels); `outside` stands for those that
// lie outside the image.
template <typename Float>
class Pixels {
 public:
  struct Images {
    Float* data;
    std::int64_t height;
    std::int64_t width;
    std::int64_t channels;
  };

  Pixels(const Images& images, std::int64_t image, std::int64_t top, std::int64_t left,
         std::int64_t side, Float* outside) {
    Float** pixel = at_.data();
    for (std::int64_t row = top; row < top + side; ++row) {
      const bool row_inside = row >= 0 && row < images.height;
      Float* first =
          images.data + ((image * images.height + row) * images.width + left) * images.channels;
      for (std::int64_t s = 0; s < side; ++s) {
        const bool inside = row_inside && left + s >= 0 && left + s < images.width;
        *pixel++ = inside ? first + s * images.channels : outside;
      }
    }
  }

  Float* const* data() const { return at_.data(); }

 private:
  std::array<Float*, 36> at_;  // the largest side is 6
};

void transform_inputs(const ConvGeometry& g, const float* x, std::int64_t begin, std::int64_t end,
                      const float* zeros, float* v, std::int64_t stride) {
  const Form& f = form(g);
  for (std::int64_t number = begin; number < end; ++number) {
    const Tile tile(g, f, number);
    const Pixels<const float> pixels({x, g.h, g.w, g.c}, tile.image, tile.row - g.top,
                                     tile.column - g.left, f.inputs(), zeros);
    f.input(pixels.data(), g.c, v + (number - begin) * g.c, stride);
  }
}

}  // namespace

bool winograd_fits(const ConvGeometry& g) {
  return g.r == 3 && g.s == 3 && g.stride == Size2(1) && g.dilation == Size2(1) && g.groups == 1 &&
         (g.mode == PaddingMode::kZeros || !g.has_padding()) && channels_suffice(g) && g.p >= 2 &&
         g.q >= 2;
}

std::int64_t winograd_tiles(const ConvGeometry& g) {
  return form(g).tiles(g);
}

Tensor winograd_transformed(const ConvGeometry& g, const Tensor& weight) {
  const Form& f = form(g);
  const std::int64_t c = weight.shape()[2];
  const std::int64_t k = weight.shape()[3];
  const std::int64_t stride = matrix(c, k);
  Tensor transformed({f.points(), stride});
  parallel_shares(c, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t first = 0; first < k; first += kPanel) {
      const std::int64_t width = std::min(kPanel, k - first);
      f.weight({.weight = weight.data() + begin * k + first,
                .tap_stride = c * k,
                .channel_stride = k,
                .channels = end - begin,
                .count = width,
                .u = transformed.data() + first * c + begin * width,
                .stride = stride});
    }
  });
  return transformed;
}

std::int64_t winograd_scratch(const ConvGeometry& g) {
  return form(g).points() * (matrix(block(g), g.c) + matrix(block(g), g.k)) + g.c + g.k;
}

void winograd_forward(const ConvGeometry& g, const ConvArrays& arrays, std::int64_t begin,
                      std::int64_t end, std::span<float> scratch) {
  static const auto product = blis::brgemm_kernel();
  const Form& f = form(g);
  const std::int64_t v_stride = matrix(block(g), g.c);
  const std::int64_t m_stride = matrix(block(g), g.k);
  float* v = scratch.data();
  float* m = v + f.points() * v_stride;
  float* zeros = m + f.points() * m_stride;
  float* nowhere = zeros + g.c;
  std::fill_n(zeros, g.c, 0.0F);
  const std::int64_t blocks = (end - begin + block(g) - 1) / block(g);
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t first = begin + (end - begin) * i / blocks;
    const std::int64_t tiles = begin + (end - begin) * (i + 1) / blocks - first;
    transform_inputs(g, arrays.images, first, first + tiles, zeros, v, v_stride);
    for (std::int64_t point = 0; point < f.points(); ++point) {
      for (std::int64_t panel = 0; panel < g.k; panel += kPanel) {
        const std::int64_t width = std::min(kPanel, g.k - panel);
        product({.m = tiles,
                 .n = width,
                 .k = g.c,
                 .a = v + point * v_stride,
                 .a_row_stride = g.c,
                 .b = arrays.weight + point * matrix(g.c, g.k) + panel * g.c,
                 .b_row_stride = width,
                 .c = m + point * m_stride + panel,
                 .c_row_stride = g.k});
      }
    }
    for (std::int64_t j = 0; j < tiles; ++j) {
      const Tile tile(g, f, first + j);
      const Pixels<float> pixels({arrays.y, g.p, g.q, g.k}, tile.image, tile.row, tile.column,
                                 f.outputs, nowhere);
      f.output(m + j * g.k, m_stride, g.k, arrays.bias, pixels.data());
    }
  }
}

}  // namespace convoy::nn
