// Feeds arbitrary bytes to what decides on requests: every refusal must be a Refusal, what is taken
// must add up, and nothing of a written number's size may be allocated.
//
//   input   = { request }
//   request = kind (1 byte) length (2 bytes, little-endian) bytes of a message
// The low half of kind says which message; the high half lets that many times three seconds pass.
// A run "r" of two ranks is there already.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "dist/coordinator/base/refusal.h"
#include "dist/coordinator/book/run_book.h"
#include "dist/coordinator/book/validate.h"

namespace convoy::dist {
namespace {

constexpr CoordinatorLimits kLimits = {
    .runs = 4, .steps_per_run = 100, .events = 100, .ranks_per_run = 100, .open_steps = 10};

void require_that(bool condition, int line = __builtin_LINE()) {
  if (!condition) {
    std::fprintf(stderr, "what line %d requires does not hold\n", line);
    std::abort();
  }
}

v1::RegisterRunRequest known_run() {
  v1::RegisterRunRequest request;
  request.set_run("r");
  request.set_generation(1);
  request.set_attempt("a");
  v1::RunSpec& spec = *request.mutable_spec();
  spec.set_batch_size(8);
  spec.set_epochs(4);
  spec.set_steps(40);
  spec.set_steps_per_epoch(10);
  spec.set_images_per_epoch(80);
  spec.set_world_size(2);
  request.add_ranks();
  request.add_ranks()->set_rank(1);
  return request;
}

void look(const RunBook& book, Time now) {
  const v1::ListRunsResponse all = book.list_runs({}, now);
  for (const v1::Run& run : all.runs()) {
    require_that(v1::RunState_IsValid(run.state()) && run.state() != v1::RUN_STATE_UNSPECIFIED);
    require_that(run.step() >= 0 && run.step() <= run.spec().steps());
    require_that(run.epoch() >= 0 && run.epoch() <= run.spec().epochs());
    require_that(run.epoch_so_far().correct() <= run.epoch_so_far().images());
    require_that(run.ranks_alive() >= 0 && run.ranks_alive() <= run.spec().world_size());
    v1::ListRanksRequest ranks;
    ranks.set_run(run.run());
    require_that(book.list_ranks(ranks, now).ranks_size() <= run.spec().world_size());
  }
}

class Player {
 public:
  Player() { tell<v1::RegisterRunRequest>(known_run().SerializeAsString(), register_run()); }

  void play(int kind, const std::string& bytes) {
    now_ += std::chrono::seconds(3 * (kind >> 4));
    switch (kind & 15) {
      case 0:
        return tell<v1::RegisterRunRequest>(bytes, register_run());
      case 1:
        return tell<v1::ReportProgressRequest>(
            bytes, [&](const auto& request) { book_.report_progress(request, now_); });
      case 2:
        return tell<v1::FinishEpochRequest>(
            bytes, [&](const auto& request) { book_.finish_epoch(request, now_); });
      case 3:
        return tell<v1::HeartbeatRequest>(
            bytes, [&](const auto& request) { book_.heartbeat(request, now_); });
      case 4:
        return tell<v1::FinishRunRequest>(
            bytes, [&](const auto& request) { book_.finish_run(request, now_); });
      case 5:
        return tell<v1::StopRunRequest>(
            bytes, [&](const auto& request) { book_.stop_run(request, now_); });
      case 6:
        return tell<v1::GetRunRequest>(bytes,
                                       [&](const auto& request) { book_.get_run(request, now_); });
      case 7:
        return tell<v1::ListRunsRequest>(
            bytes, [&](const auto& request) { book_.list_runs(request, now_); });
      case 8:
        return tell<v1::ListRanksRequest>(
            bytes, [&](const auto& request) { book_.list_ranks(request, now_); });
      case 9:
        return book_.tick(now_);
      case 10:
        return tell<v1::WatchRunRequest>(bytes, [](const auto& request) {
          validate(request);
          const nanoseconds interval = from_message(request.min_interval());
          require_that(interval >= nanoseconds(0) && interval <= std::chrono::hours(2));
        });
      default:
        book_.take_changes(now_);
    }
  }
  void end() {
    look(book_, now_);
    book_.take_changes(now_);
  }

 private:
  template <typename Request, typename Tell>
  void tell(const std::string& bytes, const Tell& tell) {
    Request request;
    if (request.ParseFromString(bytes)) {
      try {
        tell(request);
      } catch (const Refusal&) {
      }
    }
  }
  std::function<void(const v1::RegisterRunRequest&)> register_run() {
    return [this](const v1::RegisterRunRequest& request) {
      book_.register_run(request, now_,
                         [](std::int64_t, std::int64_t, std::int64_t) { return Totals{}; });
    };
  }

  Time now_ = Time{} + std::chrono::hours(24 * 365 * 50);
  RunBook book_{kLimits};
};

}  // namespace
}  // namespace convoy::dist

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);  // a line for each broken UTF-8 string
  return 0;
}

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  convoy::dist::Player player;
  for (std::size_t at = 0; at + 3 <= size;) {
    const int kind = bytes[at];
    const std::size_t length =
        std::min<std::size_t>(bytes[at + 1] + 256U * bytes[at + 2], size - at - 3);
    player.play(kind, {reinterpret_cast<const char*>(bytes + at + 3), length});
    at += 3 + length;
  }
  player.end();
  return 0;
}
