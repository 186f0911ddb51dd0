#include "dist/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/base/check.h"
#include "dist/collectives.h"
#include "dist/weight_check.h"

namespace convoy::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kWarmUpSteps = 10;  // not counted in images per second

double per_second(std::int64_t images, std::chrono::duration<double> time) {
  return time.count() > 0 ? static_cast<double>(images) / time.count() : 0.0;
}

// Rounding is for messages only; it must not depend on where ranks run.
bool in_shared_memory(const Communicator& communicator, const TrainerOptions& options) {
  return communicator.shares_memory() && !options.reduce.bf16;
}

bool shards_optimizer(const Communicator& communicator, const TrainerOptions& options) {
  return options.shard_optimizer || in_shared_memory(communicator, options);
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

Partition partition_of(const ParameterStore& store, const Communicator& communicator,
                       const TrainerOptions& options) {
  return {static_cast<std::int64_t>(store.values().size()), communicator.size(),
          options.reduce.bucket_bytes};
}

// A micro-shard's gradient is nowhere complete before all are done.
ReduceOptions reduce_options(const TrainerOptions& options) {
  ReduceOptions reduce = options.reduce;
  reduce.overlap = options.reproducible ? Overlap::kOff : reduce.overlap;
  return reduce;
}

}  // namespace

std::int64_t optimizer_elements(const ParameterStore& store, const Communicator& communicator,
                                const TrainerOptions& options) {
  return shards_optimizer(communicator, options)
             ? partition_of(store, communicator, options).owned_elements(communicator.rank())
             : static_cast<std::int64_t>(store.values().size());
}

Trainer::Trainer(const Parts& parts, TrainerOptions options)
    : parts_(parts),
      options_(checked(std::move(options))),
      sampler_{.size = parts.train.size(),
               .batch_size = options_.batch_size * options_.accumulate,
               .seed = options_.seed,
               .shuffle = options_.shuffle},
      loader_(
          parts.train,
          {.raw_pixels = options_.raw_pixels, .augment = options_.augment, .seed = options_.seed}),
      partition_(partition_of(parts.store, parts.communicator, options_)),
      tree_(options_.reproducible ? options_.micro_shards : parts.communicator.size(),
            parts.communicator.size()),
      shared_(in_shared_memory(parts.communicator, options_)
                  ? std::make_unique<SharedStore>(
                        parts.store, BucketExchange::Parts{.communicator = parts.communicator,
                                                           .partition = partition_,
                                                           .tree = tree_})
                  : nullptr),
      factored_(parts.store,
                {.communicator = parts.communicator, .partition = partition_, .tree = tree_},
                {.images = (options_.batch_size + tree_.shards() - 1) / tree_.shards(),
                 .shared = shared_ != nullptr}),
      reducer_(parts.store, parts.communicator, partition_, tree_,
               {.reduce = reduce_options(options_),
                .keep_own = shards_optimizer(parts.communicator, options_),
                .shared = shared_.get(),
                .factored = &factored_}),
      runner_({.model = parts.model,
               .store = parts.store,
               .loader = loader_,
               .communicator = parts.communicator,
               .tree = tree_,
               .reducer = reducer_,
               .factored = factored_},
              {.batch_size = options_.batch_size,
               .seed = options_.seed,
               .label_smoothing = options_.label_smoothing,
               .reproducible = options_.reproducible}),
      updater_({.store = parts.store,
                .optimizer = parts.optimizer,
                .communicator = parts.communicator,
                .partition = partition_,
                .reducer = reducer_},
               {.sharded = shards_optimizer(parts.communicator, options_),
                .gather = shared_ == nullptr,
                .clip_norm = options_.clip_norm,
                .check_finite = options_.on_nan != OnNan::kStop}),
      bad_steps_(options_.on_nan, parts.store, parts.optimizer) {
  check(parts.train.size() > 0, "{}: no images to train on", parts.train.name());
}

std::int64_t Trainer::steps_per_epoch() const {
  return data::batches_per_epoch(sampler_);
}

double Trainer::images_per_second() const {
  return per_second(speed_.images, speed_.time);
}

int Trainer::awaited() const {
  return std::max(parts_.communicator.awaited(), reducer_.awaited());
}

// The gradients travel on a communicator of their own.
std::chrono::nanoseconds Trainer::waited() const {
  return parts_.communicator.waited() + reducer_.waited();
}

void Trainer::keep_times(std::chrono::nanoseconds time, std::chrono::nanoseconds waited) {
  waited = std::min(waited, time);
  times_ = {.computing_ns = (time - waited).count(), .waiting_ns = waited.count()};
}

std::chrono::duration<double> Trainer::step_time() const {
  return speed_.steps > 0 ? speed_.time / speed_.steps : std::chrono::duration<double>{0};
}

Outcome Trainer::run(Observer& observer) {
  bad_steps_.at_checkpoint();
  while (position_.epoch < options_.epochs) {
    const auto began = Clock::now();
    EpochResult result{.epoch = position_.epoch + 1, .train = {}, .test = {}};
    observer.on_epoch_begin(result.epoch, parts_.train.size());
    if (!train_epoch(observer, result)) {
      checkpoint(observer, /*last=*/true);
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
    const bool last = position_.epoch >= options_.epochs || out_of_steps();
    checkpoint(observer, last);
    if (last) {
      break;
    }
  }
  return Outcome::kDone;
}

bool Trainer::out_of_steps() const {
  return options_.max_steps && position_.step >= *options_.max_steps;
}

// Returns false if it was stopped on the way.
bool Trainer::train_epoch(Observer& observer, EpochResult& result) {
  data::epoch_order(sampler_, position_.epoch, order_);
  Speed speed;
  const std::int64_t steps = steps_per_epoch();
  while (position_.batch < steps) {
    if (out_of_steps()) {
      break;
    }
    const data::Range range = data::batch_range(sampler_, position_.batch);
    const double lr = parts_.schedule.lr_at(position_.step);
    const std::chrono::nanoseconds waited_before = waited();
    const auto began = Clock::now();
    const StepReport report =
        step(std::span(order_).subspan(static_cast<std::size_t>(range.begin),
                                       static_cast<std::size_t>(range.size())),
             observer.stop_requested(), lr, observer);
    const std::chrono::nanoseconds time = Clock::now() - began;
    keep_times(time, waited() - waited_before);
    train_.add(report.metrics());
    ++position_.step;
    ++position_.batch;
    speed.images += range.size();
    speed.time += time;
    if (position_.step == kWarmUpSteps) {
      reducer_.reset_statistics();
    } else if (position_.step > kWarmUpSteps) {
      speed_.images += range.size();
      ++speed_.steps;
      speed_.time += time;
    }
    if (options_.check_every > 0 && position_.step % options_.check_every == 0) {
      check_weights(parts_.communicator, parts_.store, position_.step);
    }
    observer.on_step({.position = position_,
                      .so_far = train_,
                      .ranks = ranks_,
                      .learning_rate = lr,
                      .duration = time});
    if (report.stops > 0) {
      return false;
    }
    if (options_.checkpoint_every && position_.step % *options_.checkpoint_every == 0 &&
        position_.batch < steps) {
      checkpoint(observer, /*last=*/false);
    }
  }
  result.images_per_second = per_second(speed.images, speed.time);
  result.train = train_;
  // An epoch that max_steps cuts short stays open, so that a run with more steps can finish it.
  if (position_.batch == steps) {
    check_digest();
    position_ = {.epoch = position_.epoch + 1, .batch = 0, .step = position_.step};
    train_ = {};
    seen_ = {};
  }
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

// One optimizer step; returns the report of all ranks.
StepReport Trainer::step(std::span<const std::int64_t> global_batch, bool stop, double lr,
                         Observer& observer) {
  parts_.communicator.set_activity("training step", position_.step + 1);
  bad_steps_.before_step();
  times_.stops = stop ? 1 : 0;
  runner_.run(global_batch, position_.epoch, position_.step, times_, seen_);
  const std::span<const StepReport> reports = reducer_.await_reports();
  ranks_.assign(reports.begin(), reports.end());
  const auto report = std::accumulate(ranks_.begin(), ranks_.end(), StepReport());
  check(report.images == static_cast<std::int64_t>(global_batch.size()),
        "step {} used {} images of a batch of {}; please report this", position_.step + 1,
        report.images, global_batch.size());
  const bool finite_loss = report.not_numbers == 0;
  const bool updated = finite_loss && updater_.update(report.images, lr);
  reducer_.finish();
  if (shared_ != nullptr) {
    shared_->end_step();
  }
  if (updated) {
    bad_steps_.good();
    return report;
  }
  leave_out(finite_loss ? "gradient" : "loss", observer);
  // A step that was left out counts neither in the epoch's loss nor in its accuracy.
  for (StepReport& rank : ranks_) {
    rank = {.computing_ns = rank.computing_ns, .waiting_ns = rank.waiting_ns};
  }
  return {.stops = report.stops};
}

void Trainer::leave_out(std::string_view what, Observer& observer) {
  observer.on_note(bad_steps_.bad(
      fmt::format("the {} is not a number at epoch {}, step {} (learning rate {:g})", what,
                  position_.epoch + 1, position_.step + 1, parts_.schedule.lr_at(position_.step))));
}

void Trainer::checkpoint(Observer& observer, bool last) {
  parts_.communicator.set_activity("checkpoint of step", position_.step);
  const std::span<const float> values = parts_.store.all_values();
  check(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }),
        "after epoch {}, step {} some weights are not numbers, so no checkpoint is written.\nTry a "
        "smaller --lr or --clip-norm 1; --on-nan skip or rollback look at every gradient.",
        position_.epoch + 1, position_.step);
  observer.on_checkpoint({.position = position_,
                          .train = train_,
                          .seen = all_seen(),
                          .optimizer_step = parts_.optimizer.step(),
                          .optimizer = updater_.state(),
                          .last = last});
  bad_steps_.at_checkpoint();
}

void Trainer::restore(const Snapshot& snapshot) {
  const Position& position = snapshot.position;
  check(position.epoch >= 0 && position.batch >= 0 && position.batch <= steps_per_epoch() &&
            position.step >= 0,
        "cannot go on from epoch {}, batch {} of {}: it is beyond the epoch; the data set or the "
        "batch size was another",
        position.epoch + 1, position.batch, steps_per_epoch());
  updater_.restore(snapshot.optimizer, snapshot.optimizer_step);
  times_ = {};
  position_ = position;
  train_ = snapshot.train;
  // One rank carries what all have seen.
  seen_ = parts_.communicator.rank() == 0 ? snapshot.seen : data::IdDigest();
}

}  // namespace convoy::dist
