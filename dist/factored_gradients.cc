#include "dist/factored_gradients.h"

#include "core/base/parallel.h"
#include "core/tensor/pool_array.h"

namespace convoy::dist {
namespace {

constexpr std::int64_t whole_lines(std::int64_t floats) {
  constexpr std::int64_t kLine = 16;
  return (floats + kLine - 1) / kLine * kLine;
}

std::int64_t largest_chunk(const Partition& partition) {
  std::int64_t largest = 0;
  for (int rank = 0; rank < partition.ranks(); ++rank) {
    largest = std::max(largest, partition.chunk(0, rank).size());
  }
  return largest;
}

// Rows of a weight of which so many products stay in the second-level cache.
std::int64_t rows_at_once(std::size_t products, std::int64_t out, std::int64_t images) {
  constexpr std::int64_t kFloats = 70 << 10;
  return std::clamp<std::int64_t>(kFloats / (static_cast<std::int64_t>(products) * out), 1,
                                  images <= 64 ? 28 : 56);
}

// Calls body(rows, thread) for `all` rows, so many at a time. Uses all threads.
template <typename Body>
void for_rows(Range all, std::int64_t at_once, const Body& body) {
  parallel_shares(all.size(), [&](std::int64_t begin, std::int64_t end, int thread) {
    for (std::int64_t row = all.begin + begin; row < all.begin + end; row += at_once) {
      body(Range{.begin = row, .end = std::min(row + at_once, all.begin + end)}, thread);
    }
  });
}

}  // namespace

FactoredGradients::FactoredGradients(const ParameterStore& store,
                                     const BucketExchange::Parts& parts, Options options)
    : parts_(parts), options_(options) {
  const ShardTree& tree = parts.tree;
  for (int rank = 0; rank < tree.ranks(); ++rank) {
    first_partials_.push_back(trees_.size());
    shards_of_rank_ =
        std::max(shards_of_rank_, static_cast<std::size_t>(tree.shards_of(rank).size()));
    for (const Range partial : tree.partials_of(rank)) {
      const auto shards = static_cast<int>(partial.size());
      trees_.emplace_back(shards, shards);
      shards_of_partial_ = std::max(shards_of_partial_, static_cast<std::size_t>(shards));
    }
  }
  // A shard whose gradient is a partial sum for others to get makes it at once.
  if (options.images > 0 && (options.shared || shards_of_partial_ > 1)) {
    const std::int64_t floats = list_weights(store);
    if (!weights_.empty()) {
      place_factors(floats);
    }
  }
}

std::int64_t FactoredGradients::list_weights(const ParameterStore& store) {
  std::int64_t floats = 0;
  for (const Parameter* parameter : store.parameters()) {
    if (parameter->layout() != Layout::kLinearWeight) {
      continue;
    }
    const std::int64_t in = parameter->shape()[0];
    const std::int64_t out = parameter->shape()[1];
    if (pays(in, out)) {
      weights_.push_back(
          {.range = {.begin = parameter->offset(), .end = parameter->offset() + in * out},
           .in = in,
           .out = out,
           .place = floats,
           .factors = std::vector<std::vector<nn::LinearFactors>>(trees_.size())});
      floats += whole_lines(nn::LinearFactors::floats(options_.images, in, out));
    }
  }
  return floats;
}

// Whether factors are less to read than the gradient: than a rank's, for the rows that another
// updates, or than a shard's.
bool FactoredGradients::pays(std::int64_t in, std::int64_t out) const {
  const std::int64_t shards = options_.shared ? static_cast<std::int64_t>(shards_of_rank_) : 1;
  const std::int64_t rows =
      options_.shared ? std::min(in, largest_chunk(parts_.partition) / out) : in;
  return shards * (options_.images * out + rows * whole_lines(options_.images)) < rows * out;
}

void FactoredGradients::place_factors(std::int64_t floats_of_shard) {
  const std::int64_t floats = floats_of_shard * static_cast<std::int64_t>(shards_of_rank_);
  const int me = parts_.communicator.rank();
  if (options_.shared) {
    blocks_ = parts_.communicator.share(static_cast<std::size_t>(floats) * sizeof(float));
  } else {
    memory_ = Tensor::zeros({floats});
  }
  for (int rank = 0; rank < parts_.tree.ranks(); ++rank) {
    const auto index = static_cast<std::size_t>(rank);
    float* block =
        !options_.shared ? memory_.data() : reinterpret_cast<float*>(blocks_[index].get());
    std::size_t partial = first_partials_[index];
    for (const Range shards : parts_.tree.partials_of(rank)) {
      for (std::int64_t i = 0; (options_.shared || rank == me) && i < shards.size(); ++i) {
        for (Weight& weight : weights_) {
          const std::int64_t size =
              nn::LinearFactors::floats(options_.images, weight.in, weight.out);
          weight.factors[partial].emplace_back(
              std::span(block + weight.place, static_cast<std::size_t>(size)), weight.in,
              weight.out);
        }
        block += floats_of_shard;
      }
      ++partial;
    }
  }
}

bool FactoredGradients::any_there(const Weight& weight) {
  for (std::size_t partial = 0; partial < weight.factors.size(); ++partial) {
    if (there(weight, partial)) {
      return true;
    }
  }
  return false;
}

std::int64_t FactoredGradients::images(const Weight& weight, std::size_t partial) {
  std::int64_t images = 0;
  for (const nn::LinearFactors& factors : weight.factors[partial]) {
    images += factors.images();
  }
  return images;
}

void FactoredGradients::begin_step() {
  partial_ = first_partials_[static_cast<std::size_t>(parts_.communicator.rank())];
  shard_ = 0;
  const std::size_t count = parts_.tree.partials_of(parts_.communicator.rank()).size();
  for (Weight& weight : weights_) {
    for (std::size_t i = 0; i < count; ++i) {
      std::ranges::for_each(weight.factors[partial_ + i], &nn::LinearFactors::clear);
    }
  }
}

std::span<float> FactoredGradients::memory(const Parameter& parameter) {
  const auto found = std::ranges::find_if(weights_, [&](const Weight& weight) {
    return parameter.trainable() && weight.range.begin == parameter.offset();
  });
  // A sum of one shard that nobody reads would be as large to make later as now. Where the first
  // shard left none, the others' gradients are added up like any.
  const bool wanted = found != weights_.end() &&
                      (options_.shared || trees_[partial_].shards() > 1) &&
                      (shard_ == 0 || found->leaving);
  return wanted ? found->factors[partial_][shard_].memory() : std::span<float>();
}

void FactoredGradients::end_shard(std::span<const float> gradients) {
  for (Weight& weight : weights_) {
    const bool left = weight.factors[partial_][shard_].there();
    if (shard_ == 0) {
      weight.leaving = left;
    } else if (weight.leaving && !left) {
      weight.gradients.resize(shard_ + 1);
      weight.gradients[shard_] = Tensor::of({weight.in, weight.out}, part(gradients, weight.range));
    }
  }
  ++shard_;
}

void FactoredGradients::end_partial(std::span<float> sum) {
  for (Weight& weight : weights_) {
    if (weight.leaving && (!options_.shared || !weight.gradients.empty())) {
      make_sum(weight, part(sum, weight.range));
      std::ranges::for_each(weight.factors[partial_], &nn::LinearFactors::clear);
      weight.gradients.clear();
    }
    weight.leaving = false;
  }
  ++partial_;
  shard_ = 0;
}

// Some rows of a partial sum. `products` has room for those of its shards, if it has several.
void FactoredGradients::multiply(const Weight& weight, std::size_t partial, Range rows,
                                 float* products, float* sum) const {
  const std::vector<nn::LinearFactors>& factors = weight.factors[partial];
  if (factors.size() == 1) {
    factors.front().multiply(rows.begin, rows.size(), sum, false);
    return;
  }
  PoolArray<const float*> operands(std::ssize(factors));
  for (std::size_t shard = 0; shard < factors.size(); ++shard) {
    const float*& operand = operands[static_cast<std::int64_t>(shard)];
    if (factors[shard].there()) {
      factors[shard].multiply(rows.begin, rows.size(), products, false);
      operand = products;
      products += rows.size() * weight.out;
    } else {
      operand = weight.gradients[shard].data() + rows.begin * weight.out;
    }
  }
  trees_[partial].add_up(operands.values(),
                         {sum, static_cast<std::size_t>(rows.size() * weight.out)});
}

void FactoredGradients::make_sum(const Weight& weight, std::span<float> sum) const {
  const std::size_t shards = weight.factors[partial_].size();
  const std::int64_t at_once = rows_at_once(shards, weight.out, options_.images);
  Tensor products({num_threads(), static_cast<std::int64_t>(shards), at_once * weight.out});
  for_rows({.begin = 0, .end = weight.in}, at_once, [&](Range rows, int thread) {
    multiply(weight, partial_, rows, products.data() + thread * products.elements() / num_threads(),
             sum.data() + rows.begin * weight.out);
  });
}

void FactoredGradients::add_up(const Weight& weight, Range range,
                               std::span<const float* const> partials, std::span<float> sum) const {
  const Range all = {.begin = (range.begin - weight.range.begin) / weight.out,
                     .end = (range.end - weight.range.begin + weight.out - 1) / weight.out};
  const std::size_t room = partials.size() + (shards_of_partial_ > 1 ? shards_of_partial_ : 0);
  const std::int64_t at_once = rows_at_once(room, weight.out, options_.images);
  Tensor products({num_threads(), static_cast<std::int64_t>(room), at_once * weight.out});
  for_rows(all, at_once, [&](Range rows, int thread) {
    const std::int64_t row_begin = weight.range.begin + rows.begin * weight.out;
    // At its ends a range may have parts of rows.
    const Range elements = {.begin = std::max(row_begin, range.begin),
                            .end = std::min(row_begin + rows.size() * weight.out, range.end)};
    float* product = products.data() + thread * products.elements() / num_threads();
    float* of_shards = product + static_cast<std::int64_t>(partials.size()) * at_once * weight.out;
    PoolArray<const float*> operands(std::ssize(partials));
    for (std::size_t i = 0; i < partials.size(); ++i, product += at_once * weight.out) {
      const auto index = static_cast<std::int64_t>(i);
      if (there(weight, i)) {
        multiply(weight, i, rows, of_shards, product);
        operands[index] = product + (elements.begin - row_begin);
      } else {
        operands[index] = partials[i] + (elements.begin - range.begin);
      }
    }
    parts_.tree.add_up(operands.values(), part(sum, {.begin = elements.begin - range.begin,
                                                     .end = elements.end - range.begin}));
  });
}

}  // namespace convoy::dist
