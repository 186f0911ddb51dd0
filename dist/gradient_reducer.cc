#include "dist/gradient_reducer.h"

#include <algorithm>

#include "core/base/check.h"
#include "dist/message_exchange.h"
#include "dist/shared_exchange.h"

namespace convoy::dist {
namespace {

// The buckets that hold the parameter's gradient.
Range buckets_of(const Parameter& parameter, const Partition& partition) {
  const std::int64_t elements = parameter.shape().elements();
  if (!parameter.trainable() || elements == 0) {
    return {};
  }
  return {.begin = partition.bucket_of(parameter.offset()),
          .end = partition.bucket_of(parameter.offset() + elements - 1) + 1};
}

std::unique_ptr<BucketExchange> make_exchange(const BucketExchange::Parts& parts,
                                              const GradientReducer::Options& options) {
  if (options.shared == nullptr) {
    return std::make_unique<MessageExchange>(
        parts, MessageExchange::Options{.bf16 = options.reduce.bf16, .keep_own = options.keep_own});
  }
  check(options.keep_own && !options.reduce.bf16,
        "ranks that share memory keep their own sums, unrounded");
  return std::make_unique<SharedExchange>(parts, *options.shared, options.factored);
}

Overlap wanted_overlap(const Partition& partition, const GradientReducer::Options& options) {
  if (partition.buckets() == 1) {
    return Overlap::kOff;
  }
  return options.shared != nullptr ? Overlap::kPoll : options.reduce.overlap;
}

}  // namespace

double ReduceStatistics::hidden_share() const {
  return total.count() > 0 ? std::max(0.0, 1.0 - exposed / total) : 0.0;
}

GradientReducer::GradientReducer(ParameterStore& store, Communicator& communicator,
                                 const Partition& partition, const ShardTree& tree,
                                 const Options& options)
    : partition_(partition),
      sum_(store.gradients()),
      communicator_(communicator.duplicate()),
      exchange_(make_exchange(
          {.communicator = *communicator_, .partition = partition, .tree = tree}, options)),
      users_(static_cast<std::size_t>(partition.buckets())),
      choice_(wanted_overlap(partition, options)) {
  for (const Parameter* parameter : store.parameters()) {
    const Range buckets = buckets_of(*parameter, partition);
    for (std::int64_t bucket = buckets.begin; bucket < buckets.end; ++bucket) {
      ++users_[static_cast<std::size_t>(bucket)];
    }
  }
  pending_ = users_;
}

GradientReducer::~GradientReducer() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    release(-1);  // wakes it if it waits for backward
    thread_.join();
  }
}

void GradientReducer::begin_step(std::int64_t step, const StepReport& report,
                                 std::span<const std::span<const float>> partials) {
  report_ = report;
  handed_out_ = 0;
  if (alone()) {
    return;
  }
  communicator_->set_activity("gradients of step", step + 1);
  const bool trying = overlap() == Overlap::kAuto;
  mode_ = choice_.begin_step(*communicator_);
  if (trying && overlap() != Overlap::kAuto) {
    statistics_ = {};
  }
  exchange_->begin_step(step, report, partials, sum_);
  pending_ = users_;
  ready_ = 0;
  busy_ = {};
  released_ = 0;
  if (mode_ == Overlap::kThread) {
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { work(); });
    }
    const std::lock_guard lock(mutex_);
    working_ = true;
    changed_.notify_all();
  }
}

void GradientReducer::on_ready(const Parameter& parameter) {
  if (alone() || mode_ == Overlap::kOff) {
    return;
  }
  const auto began = Clock::now();
  const Range buckets = buckets_of(parameter, partition_);
  for (std::int64_t bucket = buckets.begin; bucket < buckets.end; ++bucket) {
    --pending_[static_cast<std::size_t>(bucket)];
  }
  while (ready_ <= last_bucket() &&
         pending_[static_cast<std::size_t>(last_bucket() - ready_)] == 0) {
    ++ready_;
  }
  release(ready_);
  if (mode_ == Overlap::kPoll) {
    drive_once();
  }
  add_exposed(Clock::now() - began);
}

void GradientReducer::add_exposed(std::chrono::nanoseconds time) {
  statistics_.exposed += time;
  waited_ += time;
}

void GradientReducer::release(int buckets) {
  if (released_.exchange(buckets) != buckets) {
    released_.notify_all();
  }
}

std::span<const StepReport> GradientReducer::await_reports() {
  if (alone()) {
    return {&report_, 1};
  }
  const auto began = Clock::now();
  await_bucket(last_bucket());  // each brings them along
  add_exposed(Clock::now() - began);
  return exchange_->reports();
}

std::optional<int> GradientReducer::next_sum() {
  if (handed_out_ == partition_.buckets()) {
    return std::nullopt;
  }
  const int bucket = last_bucket() - handed_out_++;
  if (!alone()) {
    const auto began = Clock::now();
    await_bucket(bucket);
    const auto there = Clock::now();
    const std::chrono::nanoseconds multiplying = exchange_->take_sum(bucket);
    if (exchange_->started() == exchange_->finished()) {
      busy_ += Clock::now() - there - multiplying;  // otherwise counted with the others' way
    }
    add_exposed(Clock::now() - began - multiplying);
  }
  return bucket;
}

void GradientReducer::finish() {
  while (next_sum()) {
  }
  if (!alone()) {
    statistics_.total += busy_;
    statistics_.bytes_sent += exchange_->bytes_sent();
    ++statistics_.steps;
  }
}

void GradientReducer::await_bucket(int bucket) {
  release(partition_.buckets());
  if (mode_ != Overlap::kThread) {
    drive([&] { return exchange_->finished(bucket); });
    return;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !working_; });
  if (error_) {
    std::rethrow_exception(error_);
  }
}

bool GradientReducer::drive_once() {
  const bool idle = exchange_->started() == exchange_->finished();
  const auto now = Clock::now();
  bool moved = false;
  for (; exchange_->started() < released_; moved = true) {
    exchange_->start(last_bucket() - exchange_->started());
  }
  if (idle && moved) {
    busy_since_ = now;
  }
  if (exchange_->started() == exchange_->finished()) {
    return moved;
  }
  moved = exchange_->advance() || moved;
  if (exchange_->started() == exchange_->finished()) {
    busy_ += Clock::now() - busy_since_;
  }
  return moved;
}

void GradientReducer::wait_on(std::chrono::nanoseconds waited) {
  if (waited > communicator_->timeout()) {
    exchange_->fail_late();
  }
  if (waited > Communicator::kLongWait) {
    communicator_->note_wait(exchange_->awaited(), waited);
  }
}

template <typename Done>
void GradientReducer::drive(const Done& done) {
  Backoff backoff;
  while (!done() && !stopping_) {
    if (drive_once()) {
      backoff = {};
      communicator_->note_wait(-1, {});
    } else if (exchange_->started() == exchange_->finished()) {
      released_.wait(exchange_->started());  // nothing is on its way: until backward has more
    } else {
      wait_on(backoff.pause());
    }
  }
}

void GradientReducer::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return working_ || stopping_; });
    if (stopping_) {
      return;
    }
    lock.unlock();
    std::exception_ptr error;
    try {
      drive([this] { return exchange_->finished() == partition_.buckets(); });
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    working_ = false;
    changed_.notify_all();
  }
}

}  // namespace convoy::dist
