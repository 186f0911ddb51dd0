#include "dist/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/nn/cross_entropy.h"
#include "core/optim/clip.h"
#include "dist/collectives.h"

namespace convoy::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kWarmUpSteps = 10;  // not counted in images per second

double per_second(std::int64_t images, std::chrono::duration<double> time) {
  return time.count() > 0 ? static_cast<double>(images) / time.count() : 0.0;
}

TrainerOptions checked(TrainerOptions options) {
  check(options.epochs >= 1 && options.batch_size >= 1 && options.accumulate >= 1 &&
            options.test_batch_size >= 1,
        "training: epochs {}, batch size {}, accumulate {} and test batch size {} must be at least "
        "1",
        options.epochs, options.batch_size, options.accumulate, options.test_batch_size);
  check(!options.max_steps || *options.max_steps >= 1, "training: max steps {} must be at least 1",
        options.max_steps.value_or(0));
  return options;
}

}  // namespace

Trainer::Trainer(const Parts& parts, TrainerOptions options)
    : parts_(parts),
      options_(checked(std::move(options))),
      sampler_{.size = parts.train.size(),
               .batch_size = options_.batch_size * options_.accumulate,
               .seed = options_.seed,
               .shuffle = options_.shuffle},
      loader_(
          parts.train,
          {.raw_pixels = options_.raw_pixels, .augment = options_.augment, .seed = options_.seed}) {
  check(parts.train.size() > 0, "{}: no images to train on", parts.train.name());
}

std::int64_t Trainer::steps_per_epoch() const {
  return data::batches_per_epoch(sampler_);
}

double Trainer::images_per_second() const {
  return per_second(speed_.images, speed_.time);
}

Outcome Trainer::run(Observer& observer) {
  while (position_.epoch < options_.epochs) {
    const auto began = Clock::now();
    EpochResult result{.epoch = position_.epoch + 1, .train = {}, .test = {}};
    observer.on_epoch_begin(result.epoch, parts_.train.size());
    if (!train_epoch(observer, result)) {
      observer.on_checkpoint(snapshot());
      return Outcome::kStopped;
    }
    observer.on_test_begin(parts_.test.size());
    result.test =
        evaluate(parts_.model, parts_.test, parts_.communicator,
                 {.batch_size = options_.test_batch_size,
                  .raw_pixels = options_.raw_pixels,
                  .on_batch = [&](const Metrics& so_far) { observer.on_test_batch(so_far); }});
    result.duration = Clock::now() - began;
    observer.on_epoch_end(result);
    observer.on_checkpoint(snapshot());
    if (options_.max_steps && position_.step >= *options_.max_steps) {
      break;
    }
  }
  return Outcome::kDone;
}

// Returns false if it was stopped on the way.
bool Trainer::train_epoch(Observer& observer, EpochResult& result) {
  data::epoch_order(sampler_, position_.epoch, order_);
  Speed speed;
  const std::int64_t steps = steps_per_epoch();
  while (position_.batch < steps) {
    if (options_.max_steps && position_.step >= *options_.max_steps) {
      break;
    }
    const data::Range range = data::batch_range(sampler_, position_.batch);
    const bool stop = observer.stop_requested();
    const auto began = Clock::now();
    train_.add(step(std::span(order_).subspan(static_cast<std::size_t>(range.begin),
                                              static_cast<std::size_t>(range.size()))));
    const std::chrono::duration<double> time = Clock::now() - began;
    ++position_.step;
    ++position_.batch;
    speed.images += range.size();
    speed.time += time;
    if (position_.step > kWarmUpSteps) {
      speed_.images += range.size();
      speed_.time += time;
    }
    observer.on_step(position_, train_);
    if (stop) {
      return false;
    }
    if (options_.checkpoint_every && position_.step % *options_.checkpoint_every == 0 &&
        position_.batch < steps) {
      observer.on_checkpoint(snapshot());
    }
  }
  result.images_per_second = per_second(speed.images, speed.time);
  result.train = train_;
  if (position_.batch == steps) {
    check_digest();
  }
  position_ = {.epoch = position_.epoch + 1, .batch = 0, .step = position_.step};
  train_ = {};
  seen_ = {};
  return true;
}

// Exclusive or is no sum, so the third member is left out.
data::IdDigest Trainer::all_seen() {
  std::array<std::int64_t, 2> sums = {static_cast<std::int64_t>(seen_.count),
                                      static_cast<std::int64_t>(seen_.sum)};
  all_reduce_sum(parts_.communicator, std::span(sums));
  return {.count = static_cast<std::uint64_t>(sums[0]), .sum = static_cast<std::uint64_t>(sums[1])};
}

void Trainer::check_digest() {
  const data::IdDigest seen = all_seen();
  const data::IdDigest all = data::IdDigest::of_all(parts_.train.size());
  check(seen.count == all.count && seen.sum == all.sum,
        "epoch {} used {} images instead of each of the {} once; please report this",
        position_.epoch + 1, seen.count, all.count);
}

Snapshot Trainer::snapshot() {
  return {.position = position_,
          .train = train_,
          .seen = all_seen(),
          .optimizer_step = parts_.optimizer.step(),
          .optimizer = parts_.optimizer.state()};
}

void Trainer::restore(const Snapshot& snapshot) {
  const Position& position = snapshot.position;
  check(position.epoch >= 0 && position.batch >= 0 && position.batch < steps_per_epoch() &&
            position.step >= 0,
        "cannot go on from epoch {}, batch {} of {}: it is beyond the epoch; the data set or the "
        "batch size was another",
        position.epoch + 1, position.batch, steps_per_epoch());
  const std::vector<optim::Optimizer::State> states = parts_.optimizer.state();
  check(states.size() == snapshot.optimizer.size(),
        "the optimizer's state has {} parts, {} has {}; it was saved from another optimizer",
        snapshot.optimizer.size(), parts_.optimizer.describe(), states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    Tensor to = states[i].values;
    const optim::Optimizer::State& from = snapshot.optimizer[i];
    check(from.name == states[i].name && from.values.shape() == to.shape(),
          "the optimizer's state is {} {}, expected {} {}", from.name, from.values.shape().str(),
          states[i].name, to.shape().str());
    std::ranges::copy(from.values.values(), to.values().begin());
  }
  parts_.optimizer.set_step(snapshot.optimizer_step);
  position_ = position;
  train_ = snapshot.train;
  // One rank carries what all have seen.
  seen_ = parts_.communicator.rank() == 0 ? snapshot.seen : data::IdDigest();
}

Metrics Trainer::step(std::span<const std::int64_t> global_batch) {
  parts_.store.zero_grad();
  Metrics metrics;
  const auto images = static_cast<std::int64_t>(global_batch.size());
  for (std::int64_t begin = 0; begin < images; begin += options_.batch_size) {
    const data::Range slice =
        data::part_of({.begin = begin, .end = std::min(begin + options_.batch_size, images)},
                      parts_.communicator.rank(), parts_.communicator.size());
    const auto ids = global_batch.subspan(static_cast<std::size_t>(slice.begin),
                                          static_cast<std::size_t>(slice.size()));
    seen_.add(ids);
    loader_.load(ids, position_.epoch, batch_);
    StepContext context{
        .seed = options_.seed, .step = static_cast<std::uint64_t>(position_.step), .samples = ids};
    if (parts_.communicator.size() > 1) {
      context.all_reduce_sum = [this](std::span<double> sums) {
        all_reduce_sum(parts_.communicator, sums);
      };
    }
    tape_.begin_step(std::move(context));
    const Variable logits = parts_.model.forward(tape_, batch_.images);
    // The sum, not the mean: gradients of all ranks then just add up, and the one division by the
    // true count happens in the update.
    const nn::Loss loss =
        nn::cross_entropy(tape_, logits, batch_.labels,
                          {.label_smoothing = options_.label_smoothing,
                           .reduction = nn::CrossEntropyOptions::Reduction::kSum});
    check(
        std::isfinite(loss.sum),
        "the loss is {} at epoch {}, step {} (learning rate {:g}, rank {}).\nUsually the learning "
        "rate is too high or pixels are unscaled; try a smaller --lr or --clip-norm 1.",
        loss.sum, position_.epoch + 1, position_.step + 1, parts_.schedule.lr_at(position_.step),
        parts_.communicator.rank());
    tape_.backward(loss.value);
    metrics.add({.images = slice.size(), .correct = loss.correct, .loss_sum = loss.sum});
  }
  update(images);
  return metrics;
}

void Trainer::update(std::int64_t images) {
  double scale = 1.0 / static_cast<double>(images);
  if (options_.clip_norm) {
    const double norm = scale * optim::l2_norm(parts_.store.gradients());
    scale *= optim::clip_factor(norm, *options_.clip_norm);
  }
  parts_.optimizer.begin_step();
  parts_.optimizer.update(parts_.store.values(), parts_.store.gradients(), 0,
                          {.lr = parts_.schedule.lr_at(position_.step), .gradient_scale = scale});
}

}  // namespace convoy::dist
