// The weight's gradient by Winograd's way: the transpose of its forward pass. Sums of 36 products
// over all tiles, which one transform at the end takes back to the nine taps.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/parallel.h"
#include "core/blis/brgemm.h"
#include "core/nn/conv2d_winograd.h"
#include "core/nn/winograd_kernel.h"
#include "core/nn/winograd_pixels.h"
#include "core/nn/winograd_tiles.h"
#include "core/tensor/buffer_pool.h"

namespace convoy::nn {
namespace {

// From which on it is faster than the direct sum (AVX2): there are transforms for each tile, and
// one of the sums for all of them. At 196 outputs, 512 to 512 channels, it is 1.08 times as fast,
// at 64 half as fast; for a batch at 16 to 16 channels 1.5, at 8 to 16 0.92.
constexpr std::int64_t kLeastOutputs = 192;
constexpr std::int64_t kLeastFilters = 256;

// Columns of the sums that a unit of work has.
constexpr std::int64_t kPanel = 64;

// Units of work that a block's transforms are cut into.
constexpr std::int64_t kParts = 4;

// Floats from a tile to the next: an odd number of lines of the cache, or what a register tile
// reads of all tiles would meet in a few of its sets where channels are many.
std::int64_t row(std::int64_t channels) {
  constexpr std::int64_t kLine = 16;
  return ((channels + kLine - 1) / kLine | 1) * kLine;
}

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

// So that each thread has some to transform.
std::int64_t blocks_at_once(const ConvGeometry& g) {
  const std::int64_t all = (g.n * winograd_tiles(g) + largest_block(g) - 1) / largest_block(g);
  return std::min<std::int64_t>(num_threads(), all);
}

struct Block {
  WinogradBlock tiles;
  WinogradMatrices inputs;
  WinogradMatrices gradients;
};
using Blocks = std::vector<Block, PoolAllocator<Block>>;

// The matrices that the i-th of the blocks at once has in `all` (blocks, points, matrix).
WinogradMatrices matrices(Tensor& all, std::int64_t i, std::int64_t row_floats) {
  const std::int64_t stride = all.shape()[2];
  return {all.data() + i * kWinogradPoints * stride, row_floats, stride};
}

// B^T x B and A dy A^T of all tiles; `zeros` has C floats.
void transform(const ConvGeometry& g, const Tensor& x, const Tensor& grad_y, const Tensor& zeros,
               const Blocks& blocks) {
  static const auto transform_gradient = winograd_output_gradient_kernel();
  parallel_for(kParts * std::ssize(blocks), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const Block& block = blocks[static_cast<std::size_t>(unit / kParts)];
      block.tiles.for_each_tile(
          unit % kParts, kParts, [&](const WinogradTile& tile, std::int64_t place) {
            winograd_transform_input(g, x.data(), tile, zeros.data(), block.inputs, place);
            transform_gradient(tile.size, winograd_outputs(g, grad_y.data(), tile).data(), g.k,
                               block.gradients.at(0, place), block.gradients.stride);
          });
    }
  });
}

// Their products, added to `sums` or, of the first blocks, put there. Each sum goes through the
// blocks in order, so that its bits do not depend on threads.
void multiply(const ConvGeometry& g, const Blocks& blocks, bool first, Tensor& sums) {
  static const auto product = blis::brgemm_kernel();
  const std::int64_t panels = (g.k + kPanel - 1) / kPanel;
  parallel_for(kWinogradPoints * panels, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const std::int64_t point = unit / panels;
      const std::int64_t column = unit % panels * kPanel;
      bool accumulate = !first;
      for (const Block& block : blocks) {
        const auto [from, to] = block.tiles.places_with(point);
        product({.m = g.c,
                 .n = std::min(kPanel, g.k - column),
                 .k = to - from,
                 .a = block.inputs.at(point, from),
                 .a_row_stride = 1,
                 .a_column_stride = block.inputs.row,
                 .b = block.gradients.at(point, from) + column,
                 .b_row_stride = block.gradients.row,
                 .c = sums.data() + point * sums.shape()[1] + column,
                 .c_row_stride = g.k,
                 .accumulate = std::exchange(accumulate, true)});
      }
    }
  });
}

}  // namespace

bool winograd_weight_fits(const ConvGeometry& g) {
  return winograd_fits(g) && g.c * g.k >= kLeastFilters && g.p >= kTileOutputs &&
         g.q >= kTileOutputs && g.n * g.p * g.q >= kLeastOutputs;
}

WinogradWeightGradient::WinogradWeightGradient(const ConvGeometry& g)
    : g_(g),
      sums_({kWinogradPoints, winograd_matrix(g.c, g.k)}),
      inputs_({blocks_at_once(g), kWinogradPoints, winograd_matrix(largest_block(g), row(g.c))}),
      gradients_({blocks_at_once(g), kWinogradPoints, winograd_matrix(largest_block(g), row(g.k))}),
      zeros_(Tensor::zeros({g.c})) {}

std::int64_t WinogradWeightGradient::images_together() const {
  return std::max<std::int64_t>(winograd_block(g_) / winograd_tiles(g_), 1);
}

void WinogradWeightGradient::add(const Tensor& x, const Tensor& grad_y) {
  const std::int64_t end = grad_y.shape().n() * winograd_tiles(g_);
  const std::int64_t at_once = inputs_.shape()[0];
  Blocks blocks;
  blocks.reserve(static_cast<std::size_t>(at_once));
  for (std::int64_t first = 0; first < end;) {
    blocks.clear();
    for (std::int64_t i = 0; i < at_once && first < end; ++i) {
      const std::int64_t count = block_from(g_, first, end);
      blocks.push_back({.tiles = {g_, first, count},
                        .inputs = matrices(inputs_, i, row(g_.c)),
                        .gradients = matrices(gradients_, i, row(g_.k))});
      first += count;
    }
    transform(g_, x, grad_y, zeros_, blocks);
    multiply(g_, blocks, !std::exchange(started_, true), sums_);
  }
}

void WinogradWeightGradient::finish(Tensor& grad_weight) {
  static const auto transform_back = winograd_weight_gradient_kernel();
  const std::int64_t filters = g_.c * g_.k;
  parallel_shares(filters, [&](std::int64_t begin, std::int64_t end, int) {
    transform_back(sums_.data() + begin, sums_.shape()[1], end - begin, grad_weight.data() + begin,
                   filters);
  });
}

}  // namespace convoy::nn
