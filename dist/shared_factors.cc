#include "dist/shared_factors.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/tensor/pool_array.h"

namespace convoy::dist {
namespace {

constexpr std::int64_t whole_lines(std::int64_t floats) {
  constexpr std::int64_t kLine = 16;
  return (floats + kLine - 1) / kLine * kLine;
}

// For some rows of a weight: whether a rank's factors are less to read than its gradient.
bool pays(std::int64_t images, std::int64_t rows, std::int64_t out) {
  return images * out + rows * whole_lines(images) < rows * out;
}

std::int64_t largest_chunk(const Partition& partition) {
  std::int64_t largest = 0;
  for (int rank = 0; rank < partition.ranks(); ++rank) {
    largest = std::max(largest, partition.chunk(0, rank).size());
  }
  return largest;
}

// The products of all ranks for so many rows stay in the second-level cache.
std::int64_t rows_at_once(std::int64_t images, std::int64_t out, int ranks) {
  constexpr std::int64_t kProducts = 70 << 10;
  return std::clamp<std::int64_t>(kProducts / (ranks * out), 1, images <= 64 ? 28 : 56);
}

}  // namespace

SharedFactors::SharedFactors(const ParameterStore& store, const BucketExchange::Parts& parts,
                             std::int64_t images)
    : tree_(parts.tree), me_(parts.communicator.rank()) {
  const std::int64_t chunk = largest_chunk(parts.partition);
  std::int64_t floats = 0;
  std::vector<std::int64_t> offsets;  // by weight: where its factors begin in a block
  for (const Parameter* parameter : store.parameters()) {
    if (parameter->layout() != Layout::kLinearWeight || images == 0) {
      continue;
    }
    const std::int64_t in = parameter->shape()[0];
    const std::int64_t out = parameter->shape()[1];
    if (pays(images, std::min(in, chunk / out), out)) {
      weights_.push_back(
          {.range = {.begin = parameter->offset(), .end = parameter->offset() + in * out},
           .in = in,
           .out = out,
           .rows_at_once = rows_at_once(images, out, parts.communicator.size()),
           .factors = {}});
      offsets.push_back(floats);
      floats += whole_lines(nn::LinearFactors::floats(images, in, out));
    }
  }
  if (weights_.empty()) {
    return;
  }
  blocks_ = parts.communicator.share(static_cast<std::size_t>(floats) * sizeof(float));
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    Weight& weight = weights_[i];
    for (const std::shared_ptr<std::byte[]>& block : blocks_) {
      const std::span<float> memory(
          reinterpret_cast<float*>(block.get()) + offsets[i],
          static_cast<std::size_t>(nn::LinearFactors::floats(images, weight.in, weight.out)));
      weight.factors.emplace_back(memory, weight.in, weight.out);
    }
  }
}

void SharedFactors::begin_step() {
  for (Weight& weight : weights_) {
    weight.factors[static_cast<std::size_t>(me_)].clear();
  }
}

std::span<float> SharedFactors::memory(const Parameter& parameter) {
  const auto found = std::ranges::find_if(weights_, [&](const Weight& weight) {
    return parameter.trainable() && weight.range.begin == parameter.offset();
  });
  return found == weights_.end() ? std::span<float>()
                                 : found->factors[static_cast<std::size_t>(me_)].memory();
}

void SharedFactors::add_up(const Weight& weight, Range range,
                           std::span<const float* const> partials, std::span<float> sum) const {
  const std::int64_t first_row = (range.begin - weight.range.begin) / weight.out;
  const std::int64_t end_row = (range.end - weight.range.begin + weight.out - 1) / weight.out;
  const std::int64_t most = weight.rows_at_once;
  const auto ranks = static_cast<std::int64_t>(weight.factors.size());
  Tensor products({num_threads(), ranks, most * weight.out});
  parallel_shares(end_row - first_row, [&](std::int64_t begin, std::int64_t end, int thread) {
    PoolArray<const float*> operands(ranks);
    for (std::int64_t row = first_row + begin; row < first_row + end; row += most) {
      const std::int64_t rows = std::min(most, first_row + end - row);
      const std::int64_t row_begin = weight.range.begin + row * weight.out;
      // At its ends a range may have parts of rows.
      const Range elements = {.begin = std::max(row_begin, range.begin),
                              .end = std::min(row_begin + rows * weight.out, range.end)};
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        const auto index = static_cast<std::size_t>(rank);
        const nn::LinearFactors& factors = weight.factors[index];
        if (factors.there()) {
          float* product = products.data() + (thread * ranks + rank) * most * weight.out;
          factors.multiply(row, rows, product, false);
          operands[rank] = product + (elements.begin - row_begin);
        } else {
          operands[rank] = partials[index] + elements.begin;
        }
      }
      tree_.add_up(operands.values(), part(sum, {.begin = elements.begin - range.begin,
                                                 .end = elements.end - range.begin}));
    }
  });
}

}  // namespace convoy::dist
