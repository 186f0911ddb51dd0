#include "dist/updater.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/optim/clip.h"
#include "core/tensor/pool_array.h"
#include "dist/chunks.h"
#include "dist/collectives.h"

namespace convoy::dist {

Updater::Updater(const Parts& parts, Options options) : parts_(parts), options_(options) {
  std::int64_t owned = 0;
  for (int bucket = 0; bucket < parts_.partition.buckets(); ++bucket) {
    const Range range = options_.sharded
                            ? parts_.partition.chunk(bucket, parts_.communicator.rank())
                            : parts_.partition.bucket(bucket);
    own_.push_back({.range = range, .offset = owned});
    owned += range.size();
  }
  for (const optim::Optimizer::State& state : parts_.optimizer.state()) {
    check(state.values.shape().elements() == owned,
          "the optimizer owns {} values, this rank's part of the weights has {}",
          state.values.shape().elements(), owned);
  }
}

bool Updater::update(std::int64_t images, double lr) {
  double scale = 1.0 / static_cast<double>(images);
  if (looks_at_gradient()) {
    parts_.reducer.finish();
    const double norm = scale * gradient_norm();
    if (!std::isfinite(norm)) {
      return false;
    }
    scale *= options_.clip_norm ? optim::clip_factor(norm, *options_.clip_norm) : 1.0;
  }
  parts_.optimizer.begin_step();
  const optim::Optimizer::Update how = {.lr = lr, .gradient_scale = scale};
  if (looks_at_gradient()) {
    for (const Own& own : own_) {
      update(own, how);
    }
  } else {
    while (const std::optional<int> bucket = parts_.reducer.next_sum()) {
      update(own_[static_cast<std::size_t>(*bucket)], how);
    }
  }
  if (options_.sharded && options_.gather) {
    all_gather_chunks(parts_.communicator, parts_.partition, parts_.store.values());
  }
  return true;
}

void Updater::update(const Own& own, const optim::Optimizer::Update& update) {
  parts_.optimizer.update(part(parts_.store.values(), own.range),
                          part(std::span<const float>(parts_.store.gradients()), own.range),
                          own.offset, update);
}

// Chunks are whole blocks, so each block's sum comes from one rank and the others add zeros: the
// norm has the same bits whether it is sharded or not.
double Updater::gradient_norm() {
  const std::span<const float> gradients = parts_.store.gradients();
  if (!options_.sharded) {
    return optim::l2_norm(gradients);
  }
  PoolArray<double> sums(static_cast<std::int64_t>(optim::norm_blocks(gradients.size())));
  std::ranges::fill(sums.values(), 0.0);
  for (const Own& own : own_) {
    const std::span<const float> values = part(gradients, own.range);
    optim::sums_of_squares(
        values, sums.values().subspan(static_cast<std::size_t>(own.range.begin / optim::kNormBlock),
                                      optim::norm_blocks(values.size())));
  }
  all_reduce_sum(parts_.communicator, sums.values());
  return optim::l2_norm_of(sums.values());
}

std::vector<optim::Optimizer::State> Updater::state() {
  std::vector<optim::Optimizer::State> states = parts_.optimizer.state();
  if (!options_.sharded || parts_.communicator.size() == 1) {
    return states;
  }
  const bool root = parts_.communicator.rank() == 0;
  for (optim::Optimizer::State& state : states) {
    Tensor whole = Tensor::zeros({root ? parts_.partition.elements() : 0});
    gather_chunks(parts_.communicator, parts_.partition, state.values.values(), whole.values());
    state.values = std::move(whole);
  }
  return states;
}

void Updater::restore(const std::vector<optim::Optimizer::State>& whole,
                      std::int64_t optimizer_step) {
  const std::vector<optim::Optimizer::State> states = parts_.optimizer.state();
  check(
      states.size() == whole.size(),
      "the optimizer's state has {} parts, that of {} has {}: it was saved from another optimizer",
      whole.size(), parts_.optimizer.describe(), states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    check(whole[i].name == states[i].name &&
              whole[i].values.shape().elements() == parts_.partition.elements(),
          "the optimizer's state is {} of {} values, expected {} of {}", whole[i].name,
          whole[i].values.shape().elements(), states[i].name, parts_.partition.elements());
    Tensor mine = states[i].values;
    for (const Own& own : own_) {
      std::ranges::copy(part(whole[i].values.values(), own.range), mine.data() + own.offset);
    }
  }
  parts_.optimizer.set_step(optimizer_step);
}

}  // namespace convoy::dist
