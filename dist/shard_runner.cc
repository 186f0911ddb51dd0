#include "dist/shard_runner.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "core/base/parallel.h"
#include "core/nn/cross_entropy.h"
#include "dist/collectives.h"

namespace convoy::dist {

ShardRunner::ShardRunner(const Parts& parts, Options options) : parts_(parts), options_(options) {
  tape_.set_on_ready([this](Parameter& parameter) {
    if (reducing_) {
      parts_.reducer.on_ready(parameter);
    }
  });
  tape_.set_factor_memory([this](const Parameter& parameter) {
    return only_slice_ ? parts_.factored.memory(parameter) : std::span<float>();
  });
  const std::size_t count = parts_.tree.partials_of(parts_.communicator.rank()).size();
  const Shape flat = {static_cast<std::int64_t>(parts_.store.values().size())};
  for (std::size_t i = 0; i < count; ++i) {
    partials_.push_back(count == 1 ? parts_.store.gradient_memory() : Tensor::zeros(flat));
    partial_sums_.emplace_back(partials_.back().values());
  }
}

void ShardRunner::run(std::span<const std::int64_t> global_batch, std::int64_t epoch,
                      std::int64_t step, const StepReport& report, data::IdDigest& seen) {
  ids_ = global_batch;
  epoch_ = epoch;
  step_ = step;
  seen_ = &seen;
  report_ = report;
  reducing_ = false;
  only_slice_ = std::ssize(ids_) <= options_.batch_size;
  parts_.factored.begin_step();
  const int rank = parts_.communicator.rank();
  if (!options_.reproducible) {
    run_leaf(rank);
    return;
  }
  const std::span<float> buffers = parts_.store.buffers();
  buffers_before_.assign(buffers.begin(), buffers.end());
  buffer_changes_.clear();
  const std::vector<Range>& nodes = parts_.tree.partials_of(rank);
  const Tensor gradients = parts_.store.gradient_memory();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    run_node(nodes[i], 0, partials_[i]);
    parts_.factored.end_partial(partials_[i].values());
  }
  parts_.store.use_gradient_memory(gradients);  // where the sum of all ranks goes
  reconcile_buffers();
  parts_.reducer.begin_step(step_, report_, partial_sums_);
}

void ShardRunner::run_node(Range node, std::size_t depth, Tensor sum) {
  if (ShardTree::is_leaf(node)) {
    parts_.store.use_gradient_memory(sum);
    run_leaf(static_cast<int>(node.begin));
    parts_.factored.end_shard(sum.values());
    return;
  }
  if (depth == left_sums_.size()) {
    left_sums_.push_back(Tensor::zeros(sum.shape()));
  }
  const Tensor left = left_sums_[depth];
  run_node(ShardTree::left(node), depth + 1, left);
  run_node(ShardTree::right(node), depth + 1, sum);
  const auto add = [&](Range range, const FactoredGradients::Weight* weight) {
    if (weight != nullptr && weight->leaving) {
      return;
    }
    parallel_for(range.size(), [&](std::int64_t begin, std::int64_t end, int) {
      const float* first = left.data() + range.begin;
      float* to = sum.data() + range.begin;
      std::transform(first + begin, first + end, to + begin, to + begin, std::plus());
    });
  };
  parts_.factored.for_parts({.begin = 0, .end = left.elements()}, add);
}

// A shard has its part of each batch that the step accumulates.
void ShardRunner::run_leaf(int shard) {
  parts_.store.zero_grad();
  const std::span<float> buffers = parts_.store.buffers();
  if (options_.reproducible) {
    std::ranges::copy(buffers_before_, buffers.begin());
  }
  const std::int64_t images_before = report_.images;
  const auto images = static_cast<std::int64_t>(ids_.size());
  for (std::int64_t begin = 0; begin < images; begin += options_.batch_size) {
    const std::int64_t end = std::min(begin + options_.batch_size, images);
    const Range slice = data::part_of({.begin = begin, .end = end}, shard, parts_.tree.shards());
    // Where ranks share statistics, one without images still has to take part.
    if (slice.size() > 0 || !options_.reproducible) {
      run_slice(slice, end == images);
    }
  }
  parts_.store.settle_grad();  // of parameters that no slice came by: spans of them are out
  if (options_.reproducible) {
    const auto weight = static_cast<float>(report_.images - images_before);
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      buffer_changes_.push_back((buffers[i] - buffers_before_[i]) * weight);
    }
  }
}

void ShardRunner::run_slice(Range slice, bool last) {
  const auto ids =
      ids_.subspan(static_cast<std::size_t>(slice.begin), static_cast<std::size_t>(slice.size()));
  seen_->add(ids);
  parts_.loader.load(ids, epoch_, batch_);
  StepContext context{
      .seed = options_.seed, .step = static_cast<std::uint64_t>(step_), .samples = ids};
  if (parts_.communicator.size() > 1 && !options_.reproducible) {
    context.all_reduce_sum = [this](std::span<double> sums) {
      all_reduce_sum(parts_.communicator, sums);
    };
  }
  tape_.begin_step(std::move(context));
  const Variable logits = parts_.model.forward(tape_, batch_.images);
  // The sum, not the mean: gradients of all ranks then just add up, and the one division by the
  // true count happens in the update.
  const nn::Loss loss = nn::cross_entropy(tape_, logits, batch_.labels,
                                          {.label_smoothing = options_.label_smoothing,
                                           .reduction = nn::CrossEntropyOptions::Reduction::kSum});
  report_.images += slice.size();
  report_.correct += loss.correct;
  report_.loss_sum += loss.sum;
  report_.not_numbers = std::isfinite(report_.loss_sum) ? 0 : 1;
  if (last && !options_.reproducible) {
    reducing_ = true;
    parts_.reducer.begin_step(step_, report_, partial_sums_);
  }
  tape_.backward(loss.value);
}

// Buffers (running statistics) become the average of what each shard would have left, weighted by
// its images: for batch norm that is one move by the shards' average statistics. Added up shard by
// shard, whoever ran it.
void ShardRunner::reconcile_buffers() {
  const std::span<float> buffers = parts_.store.buffers();
  if (buffers.empty()) {
    return;
  }
  std::vector<double> sums(buffers.size());
  const std::vector<std::vector<std::byte>> all =
      all_gather(parts_.communicator, std::as_bytes(std::span(buffer_changes_)));
  for (const std::vector<std::byte>& bytes : all) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(float)) {
      float change = 0.0F;
      std::memcpy(&change, bytes.data() + at, sizeof change);
      sums[at / sizeof(float) % buffers.size()] += static_cast<double>(change);
    }
  }
  const auto images = static_cast<double>(ids_.size());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    buffers[i] = static_cast<float>(static_cast<double>(buffers_before_[i]) + sums[i] / images);
  }
}

}  // namespace convoy::dist
