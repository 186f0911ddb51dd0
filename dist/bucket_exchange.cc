#include "dist/bucket_exchange.h"

#include <algorithm>

#include "core/base/check.h"

namespace convoy::dist {
namespace {

constexpr std::uint64_t kMagic = 0x31594F564E4F43;  // "CONVOY1"

}  // namespace

BucketExchange::BucketExchange(const Parts& parts)
    : parts_(parts),
      reports_(static_cast<std::size_t>(parts.communicator.size())),
      phases_(static_cast<std::size_t>(parts.partition.buckets())) {}

void BucketExchange::begin_step(std::int64_t step, const StepReport& report,
                                std::span<const std::span<const float>> partials,
                                std::span<float> sum) {
  step_ = step;
  report_ = report;
  partials_.assign(partials.begin(), partials.end());
  sum_ = sum;
  started_ = 0;
  finished_ = 0;
  bytes_sent_ = 0;
  std::ranges::fill(phases_, Phase::kIdle);
  begin();
}

void BucketExchange::start(int bucket) {
  start_bucket(bucket);
  phases_[static_cast<std::size_t>(bucket)] = Phase::kStarted;
  ++started_;
}

bool BucketExchange::advance() {
  bool moved = false;
  for (int index = 0; index < parts_.partition.buckets(); ++index) {
    Phase& phase = phases_[static_cast<std::size_t>(index)];
    if (phase != Phase::kStarted) {
      continue;
    }
    const Progress progress = advance_bucket(index);
    moved = moved || progress != Progress::kNone;
    if (progress == Progress::kFinished) {
      phase = Phase::kFinished;
      ++finished_;
    }
  }
  return moved;
}

BucketHeader BucketExchange::header(int index) const {
  return {.magic = kMagic,
          .step = step_,
          .bucket = index,
          .buckets = parts_.partition.buckets(),
          .report = report_};
}

void BucketExchange::take_header(const BucketHeader& header, int rank, int index) {
  check(header.magic == kMagic && header.step == step_ && header.bucket == index &&
            header.buckets == parts_.partition.buckets(),
        "the ranks have drifted apart: {} is at step {}, bucket {} of {}, but {} sends step {}, "
        "bucket {} of {}.\nThey run different programs or options, or this is a fault of convoy.",
        parts_.communicator.name(me()), step_, index, parts_.partition.buckets(),
        parts_.communicator.name(rank), header.step, header.bucket, header.buckets);
  reports_[static_cast<std::size_t>(rank)] = header.report;
}

int BucketExchange::awaited() const {
  const std::optional<Transfer> transfer = awaited_transfer();
  return transfer ? transfer->peer : -1;
}

void BucketExchange::fail_late() const {
  if (const std::optional<Transfer> transfer = awaited_transfer()) {
    parts_.communicator.fail_late(*transfer);
  }
  fail("a bucket of step {} does not end; please report this", step_);
}

}  // namespace convoy::dist
