#include "dist/coordinator/book/validate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "tests/dist/coordinator/book/requests.h"

namespace convoy::testing {
namespace {

using dist::Refusal;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Each change to a good request, and what the refusal must say.
template <typename Request>
struct Bad {
  std::string text;
  std::function<void(Request&)> change;
};

TEST(ValidateTest, RegistrationThatCannotBeIsRefused) {
  using Request = v1::RegisterRunRequest;
  const std::vector<Bad<Request>> bad = {
      {"run is ''", [](Request& r) { r.set_run(""); }},
      {"run is '-a'", [](Request& r) { r.set_run("-a"); }},
      {"run is 'Caps'", [](Request& r) { r.set_run("Caps"); }},
      {"run is '../../etc'", [](Request& r) { r.set_run("../../etc"); }},
      {"1 to 63", [](Request& r) { r.set_run(std::string(64, 'a')); }},
      {"generation is 0", [](Request& r) { r.set_generation(0); }},
      {"attempt is empty", [](Request& r) { r.set_attempt(""); }},
      {"attempt has 65", [](Request& r) { r.set_attempt(std::string(65, 'a')); }},
      {"attempt is 'a\\x1b'", [](Request& r) { r.set_attempt("a\x1b"); }},
      {"spec.model has 65", [](Request& r) { r.mutable_spec()->set_model(std::string(65, 'm')); }},
      {"spec.batch_size is -1", [](Request& r) { r.mutable_spec()->set_batch_size(-1); }},
      {"spec.epochs is 1000001", [](Request& r) { r.mutable_spec()->set_epochs(1000001); }},
      {"spec.steps is -5", [](Request& r) { r.mutable_spec()->set_steps(-5); }},
      {"spec.steps is 31; 3 epochs of 10", [](Request& r) { r.mutable_spec()->set_steps(31); }},
      {"spec.steps_per_epoch is 0", [](Request& r) { r.mutable_spec()->set_steps_per_epoch(0); }},
      {"spec.world_size is 0", [](Request& r) { r.mutable_spec()->set_world_size(0); }},
      {"ranks has 2 entries", [](Request& r) { r.mutable_spec()->set_world_size(3); }},
      {"spec.options_json has",
       [](Request& r) { r.mutable_spec()->set_options_json(std::string(16385, 'x')); }},
      {"ranks[1].rank is 0", [](Request& r) { r.mutable_ranks(1)->set_rank(0); }},
      {"ranks[0].host has 256",
       [](Request& r) { r.mutable_ranks(0)->set_host(std::string(256, 'h')); }},
      {"first_step is 31", [](Request& r) { r.set_first_step(31); }},
      {"first_sequence is -1", [](Request& r) { r.set_first_sequence(-1); }},
      {"epochs[0].epoch is 4", [](Request& r) { r.add_epochs()->set_epoch(4); }},
      {"epochs[1].epoch is 2",
       [](Request& r) {
         r.add_epochs()->set_epoch(2);
         r.add_epochs()->set_epoch(2);
       }},
      {"lease is 3601", [](Request& r) { r.mutable_lease()->set_seconds(3601); }},
      {"lease is 5 ns", [](Request& r) { r.mutable_lease()->set_nanos(5); }},
  };
  for (const auto& [text, change] : bad) {
    Request request = registration(2);
    change(request);
    expect_refusal(Refusal::Kind::kInvalidArgument, text, [&] { dist::validate(request, {}); });
  }
  expect_refusal(Refusal::Kind::kResourceExhausted, "at most 1 ranks",
                 [&] { dist::validate(registration(2), {.ranks_per_run = 1}); });
  dist::validate(registration(2), {});
}

TEST(ValidateTest, ReportThatCannotBeIsRefused) {
  using Request = v1::ReportProgressRequest;
  const auto part = [](Request& r) -> v1::RankStep& {
    return *r.mutable_steps(0)->mutable_ranks(0);
  };
  const std::vector<Bad<Request>> bad = {
      {"rank is 2", [](Request& r) { r.set_rank(2); }},
      {"rank is -1", [](Request& r) { r.set_rank(-1); }},
      {"sequence is 0", [](Request& r) { r.set_sequence(0); }},
      {"steps[0].step is 0", [](Request& r) { r.mutable_steps(0)->set_step(0); }},
      {"steps[0].step is 31", [](Request& r) { r.mutable_steps(0)->set_step(31); }},
      {"steps[0].epoch is 4", [](Request& r) { r.mutable_steps(0)->set_epoch(4); }},
      {"steps[0].learning_rate is nan",
       [](Request& r) { r.mutable_steps(0)->set_learning_rate(kNan); }},
      {"steps[0].duration is -1",
       [](Request& r) { r.mutable_steps(0)->mutable_duration()->set_seconds(-1); }},
      {"steps[0].duration is",
       [](Request& r) {
         r.mutable_steps(0)->mutable_duration()->set_seconds(
             std::numeric_limits<std::int64_t>::max());
       }},
      {"steps[0].ranks[0].rank is 2", [&](Request& r) { part(r).set_rank(2); }},
      {"steps[0].ranks[0].sums.images is 33",
       [&](Request& r) { part(r).mutable_sums()->set_images(33); }},
      {"steps[0].ranks[0].sums.correct is 9",
       [&](Request& r) { part(r).mutable_sums()->set_correct(9); }},
      {"sums.loss_sum is nan", [&](Request& r) { part(r).mutable_sums()->set_loss_sum(kNan); }},
      {"sums.loss_sum is inf",
       [&](Request& r) { part(r).mutable_sums()->set_loss_sum(kInfinity); }},
      {"sums.loss_sum is -1", [&](Request& r) { part(r).mutable_sums()->set_loss_sum(-1.0); }},
      {"computing is 0 s + -1 ns", [&](Request& r) { part(r).mutable_computing()->set_nanos(-1); }},
      {"steps[1] is step 1", [](Request& r) { *r.add_steps() = r.steps(0); }},
      {"steps.size is 1001",
       [](Request& r) {
         for (int i = 0; i < 1000; ++i) {
           r.add_steps();
         }
       }},
      {"ranks.size is 3",
       [](Request& r) {
         r.mutable_steps(0)->add_ranks();
         r.mutable_steps(0)->add_ranks();
       }},
      {"lost[0].last is 1",
       [](Request& r) {
         r.add_lost()->set_first(2);
         r.mutable_lost(0)->set_last(1);
       }},
      {"lost[0].last is 31",
       [](Request& r) {
         r.add_lost()->set_first(2);
         r.mutable_lost(0)->set_last(31);
       }},
      {"notes[0].text has 1025",
       [](Request& r) { r.add_notes()->set_text(std::string(1025, 'n')); }},
      {"notes.size is 101",
       [](Request& r) {
         for (int i = 0; i < 101; ++i) {
           r.add_notes();
         }
       }},
  };
  const v1::RunSpec spec = registration(2).spec();
  for (const auto& [text, change] : bad) {
    Request request = report(1, step_of(1, {0}));
    change(request);
    expect_refusal(Refusal::Kind::kInvalidArgument, text, [&] { dist::validate(request, spec); });
  }
  dist::validate(report(1, step_of(1, {0, 1})), spec);
}

TEST(ValidateTest, OtherRequestsThatCannotBeAreRefused) {
  const v1::RunSpec spec = registration(2).spec();
  const auto refused = [&](const std::string& text, const auto& request) {
    expect_refusal(Refusal::Kind::kInvalidArgument, text, [&] { dist::validate(request, spec); });
  };
  v1::FinishEpochRequest epoch = finished_epoch(1, 1, 2);
  epoch.mutable_epoch()->set_epoch(4);
  refused("epoch.epoch is 4", epoch);
  epoch = finished_epoch(1, 1, 2);
  epoch.mutable_epoch()->set_images_per_second(kInfinity);
  refused("epoch.images_per_second is inf", epoch);
  epoch = finished_epoch(1, 1, 2);
  epoch.mutable_epoch()->mutable_test()->set_correct(101);
  refused("epoch.sums.correct is 101", epoch);
  epoch = finished_epoch(1, 1, 2);
  epoch.mutable_epoch()->mutable_end_time()->set_seconds(-1);
  refused("epoch.end_time.seconds is -1", epoch);
  v1::HeartbeatRequest beat = heartbeat();
  beat.add_alive(7);
  refused("alive is 7", beat);
  beat = heartbeat();
  beat.set_waiting_for(std::string(256, 'w'));
  refused("waiting_for has 256", beat);
  beat = heartbeat();
  beat.set_phase(static_cast<v1::Phase>(9));
  refused("phase is 9", beat);
  refused("state is 1", finished_run(1, v1::RUN_STATE_RUNNING));
  refused("reason has 4097", finished_run(1, v1::RUN_STATE_FAILED, std::string(4097, 'r')));
}

TEST(ValidateTest, IntervalThatCannotBeIsRefused) {
  const auto of = [](std::int64_t seconds, std::int32_t nanos) {
    v1::WatchRunRequest request;
    request.mutable_min_interval()->set_seconds(seconds);
    request.mutable_min_interval()->set_nanos(nanos);
    return request;
  };
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  for (const v1::WatchRunRequest& request :
       {of(-1, 0), of(0, -1), of(3601, 0), of(0, 1'000'000'000), of(kLargest, 0)}) {
    expect_refusal(Refusal::Kind::kInvalidArgument, "min_interval is",
                   [&] { dist::validate(request); });
  }
  dist::validate(of(3600, 0));
  dist::validate(v1::WatchRunRequest());
}

}  // namespace
}  // namespace convoy::testing
