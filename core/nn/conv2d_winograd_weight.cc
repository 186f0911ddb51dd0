// The weight's gradient by Winograd's way: the transpose of its forward pass. Sums of 36 products
// over all tiles, which one transform at the end takes back to the nine taps.
#include <algorithm>
#include <vector>

#include "core/base/parallel.h"
#include "core/blis/brgemm.h"
#include "core/nn/conv2d_winograd.h"
#include "core/nn/winograd_kernel.h"
#include "core/nn/winograd_tiles.h"
#include "core/tensor/buffer_pool.h"

namespace convoy::nn {
namespace {

// From which on it is faster than the direct sum (AVX2): there are transforms for each tile, and
// one of the sums for all of them. At 196 outputs, 512 to 512 channels, it is 1.08 times as fast,
// at 64 half as fast; for a batch at 16 to 16 channels 1.5, at 8 to 16 0.92.
constexpr std::int64_t kLeastOutputs = 192;
constexpr std::int64_t kLeastTaps = 256;

// Columns of the sums that a unit of work has.
constexpr std::int64_t kPanel = 64;

// Rows of matrices are this longer than they need to be, or what a register tile reads of all tiles
// would meet in a few sets of the cache where channels are many.
constexpr std::int64_t kGap = 16;

// A block is some whole images, or a part of one: the same ones for any number of threads.
std::int64_t block_from(const ConvGeometry& g, std::int64_t first, std::int64_t end) {
  const std::int64_t most = winograd_block(g);
  const std::int64_t tiles = winograd_tiles(g);
  if (tiles <= most) {
    return std::min(most / tiles * tiles, end - first);
  }
  const std::int64_t parts = (tiles + most - 1) / most;
  const std::int64_t part = (first % tiles * parts + tiles - 1) / tiles;
  return tiles * (part + 1) / parts - tiles * part / parts;
}

std::int64_t largest_block(const ConvGeometry& g) {
  return std::min(winograd_block(g), g.n * winograd_tiles(g));
}

void transform_gradients(const ConvGeometry& g, const float* grad_y, const WinogradBlock& tiles,
                         const WinogradMatrices& m) {
  static const auto transform = winograd_output_gradient_kernel();
  tiles.for_each_tile([&](const WinogradTile& tile, std::int64_t place) {
    transform(tile.size, winograd_outputs(g, grad_y, tile).data(), g.k, m.at(0, place), m.stride);
  });
}

using Blocks = std::vector<WinogradBlock, PoolAllocator<WinogradBlock>>;

}  // namespace

bool winograd_weight_fits(const ConvGeometry& g) {
  return winograd_fits(g) && g.c * g.k >= kLeastTaps && g.p >= kTileOutputs &&
         g.q >= kTileOutputs && g.n * g.p * g.q >= kLeastOutputs;
}

WinogradWeightGradient::WinogradWeightGradient(const ConvGeometry& g)
    : g_(g),
      sums_({kWinogradPoints, winograd_matrix(g.c, g.k)}),
      inputs_({num_threads(), kWinogradPoints, winograd_matrix(largest_block(g), g.c + kGap)}),
      gradients_({num_threads(), kWinogradPoints, winograd_matrix(largest_block(g), g.k + kGap)}),
      zeros_(Tensor::zeros({g.c})) {}

std::int64_t WinogradWeightGradient::images_together() const {
  return std::max<std::int64_t>(winograd_block(g_) / winograd_tiles(g_), 1);
}

void WinogradWeightGradient::add(const Tensor& x, const Tensor& grad_y) {
  static const auto product = blis::brgemm_kernel();
  const std::int64_t tiles = winograd_tiles(g_);
  const std::int64_t end = grad_y.shape().n() * tiles;
  const std::int64_t panels = (g_.k + kPanel - 1) / kPanel;
  const auto matrices = [](Tensor& of, std::size_t i, std::int64_t row) {
    const std::int64_t stride = of.shape()[2];
    return WinogradMatrices{of.data() + static_cast<std::int64_t>(i) * kWinogradPoints * stride,
                            row, stride};
  };
  const auto inputs = [&](std::size_t i) { return matrices(inputs_, i, g_.c + kGap); };
  const auto gradients = [&](std::size_t i) { return matrices(gradients_, i, g_.k + kGap); };
  Blocks blocks;
  blocks.reserve(static_cast<std::size_t>(num_threads()));
  for (std::int64_t first = 0; first < end;) {
    blocks.clear();
    while (first < end && std::ssize(blocks) < num_threads()) {
      const std::int64_t count = block_from(g_, first, end);
      blocks.emplace_back(g_, first, count);
      first += count;
    }
    parallel_for(2 * std::ssize(blocks), [&](std::int64_t begin, std::int64_t unit_end, int) {
      for (std::int64_t unit = begin; unit < unit_end; ++unit) {
        const auto i = static_cast<std::size_t>(unit / 2);
        if (unit % 2 == 0) {
          winograd_transform_inputs(g_, x.data(), blocks[i], zeros_.data(), inputs(i));
        } else {
          transform_gradients(g_, grad_y.data(), blocks[i], gradients(i));
        }
      }
    });
    // Each sum goes through the blocks in order, so that its bits do not depend on threads.
    parallel_for(kWinogradPoints * panels, [&](std::int64_t begin, std::int64_t unit_end, int) {
      for (std::int64_t unit = begin; unit < unit_end; ++unit) {
        const std::int64_t point = unit / panels;
        const std::int64_t column = unit % panels * kPanel;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
          const auto [from, to] = blocks[i].places_with(point);
          product({.m = g_.c,
                   .n = std::min(kPanel, g_.k - column),
                   .k = to - from,
                   .a = inputs(i).at(point, from),
                   .a_row_stride = 1,
                   .a_column_stride = g_.c + kGap,
                   .b = gradients(i).at(point, from) + column,
                   .b_row_stride = g_.k + kGap,
                   .c = sums_.data() + point * sums_.shape()[1] + column,
                   .c_row_stride = g_.k,
                   .accumulate = started_ || i > 0});
        }
      }
    });
    started_ = true;
  }
}

void WinogradWeightGradient::finish(Tensor& grad_weight) {
  static const auto transform = winograd_weight_gradient_kernel();
  const std::int64_t taps = g_.c * g_.k;
  parallel_shares(taps, [&](std::int64_t begin, std::int64_t end, int) {
    transform(sums_.data() + begin, sums_.shape()[1], end - begin, grad_weight.data() + begin,
              taps);
  });
}

}  // namespace convoy::nn
