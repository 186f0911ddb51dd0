#include "dist/coordinator/book/validate.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/base/printable.h"
#include "dist/coordinator/base/times.h"
#include "dist/coordinator/book/run_name.h"

namespace convoy::dist {
namespace {

// Bounds are so that sums over a million steps of ten thousand ranks stay within 64 bits.
constexpr std::int64_t kMaxBatch = 100'000'000;
constexpr std::int64_t kMaxEpochs = 1'000'000;
constexpr std::int64_t kMaxCount = 1'000'000'000'000'000;
constexpr std::int64_t kMaxStepsPerEpoch = 1'000'000'000'000;
constexpr double kMaxNumber = 1e100;
constexpr std::int64_t kMaxStepSeconds = 24 * 3600;
constexpr std::int64_t kMaxEpochSeconds = 100LL * 365 * 24 * 3600;
constexpr std::int64_t kMaxTimestampSeconds = 253'402'300'799;  // the end of the year 9999
constexpr std::int64_t kMaxIntervalSeconds = 3600;
constexpr int kMaxSteps = 1000;
constexpr int kMaxNotes = 100;
constexpr std::size_t kMaxBytesPerRank = 64 << 10;

// What a message is called in texts, as in steps[3].ranks[0]; made only for a refusal.
struct Place {
  std::string_view list = {};
  int index = -1;
  int inner = -1;

  std::string of(std::string_view field) const {
    std::string name;
    if (index >= 0) {
      name = fmt::format("{}[{}].", list, index);
    } else if (!list.empty()) {
      name = fmt::format("{}.", list);
    }
    if (inner >= 0) {
      name += fmt::format("ranks[{}].", inner);
    }
    return name + std::string(field);
  }
};

template <typename T>
void within(const Place& place, std::string_view field, T value, T low, T high) {
  // Written so that NaN is refused.
  if (!(value >= low && value <= high)) [[unlikely]] {
    refuse(Refusal::Kind::kInvalidArgument, "{} is {}; it must be from {} to {}", place.of(field),
           value, low, high);
  }
}

void text_within(const Place& place, std::string_view field, const std::string& text,
                 std::size_t max_bytes) {
  if (text.size() > max_bytes) [[unlikely]] {
    refuse(Refusal::Kind::kInvalidArgument, "{} has {} bytes; at most {} are taken",
           place.of(field), text.size(), max_bytes);
  }
}

void name_within(const Place& place, std::string_view field, const std::string& text,
                 std::size_t max_bytes) {
  text_within(place, field, text, max_bytes);
  const bool clean =
      std::ranges::none_of(text, [](unsigned char c) { return c < 0x20U || c == 0x7FU; });
  if (!clean) [[unlikely]] {
    refuse(Refusal::Kind::kInvalidArgument, "{} is {}; control characters are not taken",
           place.of(field), printable(text));
  }
}

void length_within(const Place& place, std::string_view field,
                   const google::protobuf::Duration& length, std::int64_t max_seconds) {
  if (length.seconds() < 0 || length.seconds() > max_seconds || length.nanos() < 0 ||
      length.nanos() >= kNanosPerSecond) [[unlikely]] {
    refuse(Refusal::Kind::kInvalidArgument,
           "{} is {} s + {} ns; it must be from 0 to {} s, and the nanoseconds less than a second",
           place.of(field), length.seconds(), length.nanos(), max_seconds);
  }
}

void check_sums(const Place& place, const v1::Sums& sums, std::int64_t max_images) {
  within<std::int64_t>(place, "sums.images", sums.images(), 0, max_images);
  within<std::int64_t>(place, "sums.correct", sums.correct(), 0, sums.images());
  within(place, "sums.loss_sum", sums.loss_sum(), 0.0, kMaxNumber);
}

void check_spec(const v1::RunSpec& spec, const CoordinatorLimits& limits) {
  const Place place{.list = "spec"};
  name_within(place, "model", spec.model(), 64);
  name_within(place, "dataset", spec.dataset(), 64);
  within<std::int64_t>(place, "batch_size", spec.batch_size(), 1, kMaxBatch);
  within<std::int64_t>(place, "epochs", spec.epochs(), 0, kMaxEpochs);
  within<std::int64_t>(place, "steps", spec.steps(), 0, kMaxCount);
  within<std::int64_t>(place, "steps_per_epoch", spec.steps_per_epoch(), 1, kMaxStepsPerEpoch);
  require(spec.steps() <= spec.epochs() * spec.steps_per_epoch(),
          "spec.steps is {}; {} epochs of {} steps have fewer", spec.steps(), spec.epochs(),
          spec.steps_per_epoch());
  within<std::int64_t>(place, "images_per_epoch", spec.images_per_epoch(), 0, kMaxCount);
  within<std::int64_t>(place, "parameters", spec.parameters(), 0, kMaxCount);
  within<std::int32_t>(place, "world_size", spec.world_size(), 1, 1'000'000'000);
  if (spec.world_size() > limits.ranks_per_run) {
    refuse(Refusal::Kind::kResourceExhausted,
           "spec.world_size is {}; this coordinator takes at most {} ranks of a run",
           spec.world_size(), limits.ranks_per_run);
  }
  within<std::int32_t>(place, "threads", spec.threads(), 0, 1'000'000);
  name_within(place, "run_dir", spec.run_dir(), 4096);
  name_within(place, "convoy_version", spec.convoy_version(), 64);
  text_within(place, "options_json", spec.options_json(), 16 << 10);
}

void check_epoch(const Place& place, const v1::EpochMetrics& epoch, std::int64_t epochs) {
  within<std::int64_t>(place, "epoch", epoch.epoch(), 1, epochs);
  check_sums(place, epoch.train(), kMaxCount);
  check_sums(place, epoch.test(), kMaxCount);
  within(place, "images_per_second", epoch.images_per_second(), 0.0, kMaxNumber);
  length_within(place, "duration", epoch.duration(), kMaxEpochSeconds);
  within<std::int64_t>(place, "end_time.seconds", epoch.end_time().seconds(), 0,
                       kMaxTimestampSeconds);
  within<std::int32_t>(place, "end_time.nanos", epoch.end_time().nanos(), 0, kNanosPerSecond - 1);
}

template <typename Request>
void check_speaker(const Request& request, const v1::RunSpec& spec) {
  within<std::int32_t>({}, "rank", request.rank(), 0, spec.world_size() - 1);
}

template <typename Request>
void check_numbered(const Request& request, const v1::RunSpec& spec) {
  check_speaker(request, spec);
  within<std::int64_t>({}, "sequence", request.sequence(), 1, kMaxCount);
}

void check_step(const Place& place, const v1::StepReport& step, const v1::RunSpec& spec) {
  within<std::int64_t>(place, "step", step.step(), 1, spec.steps());
  within<std::int64_t>(place, "epoch", step.epoch(), 1, spec.epochs());
  within(place, "learning_rate", step.learning_rate(), 0.0, kMaxNumber);
  length_within(place, "duration", step.duration(), kMaxStepSeconds);
  within<std::int64_t>(place, "ranks.size", step.ranks_size(), 0, spec.world_size());
  for (int i = 0; i < step.ranks_size(); ++i) {
    const Place inner{.list = place.list, .index = place.index, .inner = i};
    const v1::RankStep& rank = step.ranks(i);
    within<std::int32_t>(inner, "rank", rank.rank(), 0, spec.world_size() - 1);
    check_sums(inner, rank.sums(), spec.batch_size());
    length_within(inner, "computing", rank.computing(), kMaxStepSeconds);
    length_within(inner, "waiting", rank.waiting(), kMaxStepSeconds);
  }
}

}  // namespace

void validate_run_name(const std::string& run) {
  require(is_run_name(run),
          "run is {}; it must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit",
          printable(run));
}

void validate(const v1::RegisterRunRequest& request, const CoordinatorLimits& limits) {
  validate_run_name(request.run());
  within<std::int64_t>({}, "generation", request.generation(), 1, kMaxCount);
  require(!request.attempt().empty(), "attempt is empty; it must name this start of the run");
  name_within({}, "attempt", request.attempt(), 64);
  check_spec(request.spec(), limits);
  require(request.ranks_size() == request.spec().world_size(),
          "ranks has {} entries; it must have spec.world_size = {}", request.ranks_size(),
          request.spec().world_size());
  for (int i = 0; i < request.ranks_size(); ++i) {
    const Place place{.list = "ranks", .index = i};
    within<std::int32_t>(place, "rank", request.ranks(i).rank(), i, i);
    name_within(place, "host", request.ranks(i).host(), 255);
    within<std::int64_t>(place, "pid", request.ranks(i).pid(), 0, kMaxCount);
  }
  within<std::int64_t>({}, "first_step", request.first_step(), 0, request.spec().steps());
  within<std::int64_t>({}, "first_sequence", request.first_sequence(), 0, kMaxCount);
  std::int64_t before = 0;
  for (int i = 0; i < request.epochs_size(); ++i) {
    const Place place{.list = "epochs", .index = i};
    check_epoch(place, request.epochs(i), request.spec().epochs());
    require(request.epochs(i).epoch() > before, "epochs[{}].epoch is {} after {}; they must ascend",
            i, request.epochs(i).epoch(), before);
    before = request.epochs(i).epoch();
  }
  if (request.has_lease()) {
    length_within({}, "lease", request.lease(), 3600);
    require(request.lease().seconds() >= 1, "lease is {} ns; it must be from 1 s to 1 h",
            request.lease().nanos());
  }
}

void validate(const v1::ReportProgressRequest& request, const v1::RunSpec& spec) {
  check_numbered(request, spec);
  within<std::int64_t>({}, "steps.size", request.steps_size(), 0, kMaxSteps);
  within<std::int64_t>({}, "lost.size", request.lost_size(), 0, kMaxSteps);
  within<std::int64_t>({}, "notes.size", request.notes_size(), 0, kMaxNotes);
  require(request.ByteSizeLong() <= kMaxBytesPerRank * static_cast<std::size_t>(spec.world_size()),
          "the report has {} bytes; at most {} per rank are taken", request.ByteSizeLong(),
          kMaxBytesPerRank);
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  for (int i = 0; i < request.steps_size(); ++i) {
    const v1::StepReport& report = request.steps(i);
    check_step({.list = "steps", .index = i}, report, spec);
    require(report.step() > step && report.epoch() >= epoch,
            "steps[{}] is step {} of epoch {} after step {} of epoch {}; they must ascend", i,
            report.step(), report.epoch(), step, epoch);
    step = report.step();
    epoch = report.epoch();
  }
  for (int i = 0; i < request.lost_size(); ++i) {
    const Place place{.list = "lost", .index = i};
    within<std::int64_t>(place, "first", request.lost(i).first(), 1, spec.steps());
    within<std::int64_t>(place, "last", request.lost(i).last(), request.lost(i).first(),
                         spec.steps());
  }
  for (int i = 0; i < request.notes_size(); ++i) {
    const Place place{.list = "notes", .index = i};
    within<int>(place, "severity", request.notes(i).severity(), 0, v1::SEVERITY_ERROR);
    text_within(place, "text", request.notes(i).text(), 1024);
  }
}

void validate(const v1::FinishEpochRequest& request, const v1::RunSpec& spec) {
  check_numbered(request, spec);
  check_epoch({.list = "epoch"}, request.epoch(), spec.epochs());
}

void validate(const v1::HeartbeatRequest& request, const v1::RunSpec& spec) {
  check_speaker(request, spec);
  within<std::int64_t>({}, "alive.size", request.alive_size(), 0, spec.world_size());
  for (int i = 0; i < request.alive_size(); ++i) {
    within<std::int32_t>({}, "alive", request.alive(i), 0, spec.world_size() - 1);
  }
  within<int>({}, "phase", request.phase(), 0, v1::PHASE_TESTING);
  name_within({}, "waiting_for", request.waiting_for(), 255);
}

void validate(const v1::FinishRunRequest& request, const v1::RunSpec& spec) {
  check_numbered(request, spec);
  const v1::RunState state = request.state();
  require(state == v1::RUN_STATE_STOPPED || state == v1::RUN_STATE_SUCCEEDED ||
              state == v1::RUN_STATE_FAILED,
          "state is {}; it must be STOPPED, SUCCEEDED or FAILED", static_cast<int>(state));
  text_within({}, "reason", request.reason(), 4096);
}

void validate(const v1::StopRunRequest& request) {
  text_within({}, "reason", request.reason(), 1024);
}

void validate(const v1::WatchRunRequest& request) {
  length_within({}, "min_interval", request.min_interval(), kMaxIntervalSeconds);
}

}  // namespace convoy::dist
