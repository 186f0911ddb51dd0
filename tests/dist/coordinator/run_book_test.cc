#include "dist/coordinator/run_book.h"

#include <gtest/gtest.h>

#include "tests/dist/coordinator/told_book.h"

namespace convoy::testing {
namespace {

using dist::Refusal;
using dist::Totals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Refusal::Kind;

TEST(RunBookTest, RegisteredRunIsRunningWithAllRanksAlive) {
  ToldBook told;
  const v1::RegisterRunResponse response = told.tell(registration(4));
  EXPECT_EQ(response.acknowledged_sequence(), 0);
  EXPECT_EQ(dist::from_message(response.heartbeat_interval()), milliseconds(2500));
  const v1::Run run = told.run();
  EXPECT_EQ(run.state(), v1::RUN_STATE_RUNNING);
  EXPECT_EQ(run.ranks_alive(), 4);
  EXPECT_EQ(run.epoch(), 1);
  EXPECT_EQ(run.step(), 0);
  EXPECT_EQ(run.spec().model(), "tutorial");
  EXPECT_EQ(dist::from_message(run.create_time()), told.now);
  EXPECT_TRUE(told.has_event("registered: model tutorial on mnist, 4 ranks, 3 epochs"));
}

TEST(RunBookTest, SameRegistrationAgainChangesNothing) {
  ToldBook told;
  told.tell(registration(1));
  told.tell(report(1, step_of(1, {0})));
  EXPECT_EQ(told.tell(registration(1)).acknowledged_sequence(), 1);
  EXPECT_EQ(told.run().step(), 1);
}

TEST(RunBookTest, AnotherStartOfTheSameGenerationIsRefused) {
  ToldBook told;
  told.tell(registration(1));
  v1::RegisterRunRequest other = registration(1);
  other.set_attempt("somebody else");
  expect_refusal(Kind::kFailedPrecondition, "attempt-1", [&] { told.tell(other); });
  EXPECT_TRUE(told.has_event("another start of generation 1 was refused"));
}

TEST(RunBookTest, StaleSpeakerIsRefusedWhateverItSays) {
  ToldBook told;
  told.tell(registration(1));
  told.tell(registration(1, 2));
  const auto refused = [&](const auto& request) {
    expect_refusal(Kind::kFailedPrecondition, "generation 1", [&] { told.tell(request); });
  };
  refused(registration(1));
  refused(report(1));
  refused(finished_epoch(1, 1, 1));
  refused(heartbeat());
  refused(finished_run(1, v1::RUN_STATE_SUCCEEDED));
  EXPECT_EQ(told.run().state(), v1::RUN_STATE_RUNNING);
  EXPECT_TRUE(told.has_event("generation 1 was refused: it is stale"));
  told.events.clear();
  refused(heartbeat());
  EXPECT_FALSE(told.has_event("stale")) << "an event for every call would fill the disk";
}

TEST(RunBookTest, UnknownRunAndUnknownGenerationAreToBeRegisteredFirst) {
  ToldBook told;
  expect_refusal(Kind::kNotFound, "'night-run'", [&] { told.tell(report(1)); });
  expect_refusal(Kind::kNotFound, "'night-run'", [&] { told.run(); });
  told.tell(registration(1));
  expect_refusal(Kind::kNotFound, "generation 2", [&] { told.tell(report(1, 0, 2)); });
}

TEST(RunBookTest, StepIsCompleteWhenAllRanksHaveReportedIt) {
  ToldBook told;
  told.tell(registration(2));
  told.tell(report(1, step_of(1, {0})));
  EXPECT_EQ(told.run().step(), 0);
  told.tell(report(1, step_of(1, {1}), 1));
  const v1::Run run = told.run();
  EXPECT_EQ(run.step(), 1);
  Totals both = part_of(1, 0);
  both += part_of(1, 1);
  EXPECT_EQ(dist::from_message(run.epoch_so_far()), both);
  EXPECT_EQ(run.learning_rate(), 0.001);
}

TEST(RunBookTest, LaterStepsWaitForEarlierOnes) {
  ToldBook told;
  told.tell(registration(2));
  told.tell(report(1, step_of(1, {0})));
  told.tell(report(2, step_of(2, {0, 1})));
  EXPECT_EQ(told.run().step(), 0);
  told.tell(report(1, step_of(1, {1}), 1));
  EXPECT_EQ(told.run().step(), 2);
}

TEST(RunBookTest, RepeatedReportIsAcknowledgedAndCountsOnce) {
  ToldBook told;
  told.tell(registration(1));
  const v1::ReportProgressRequest request = report(1, step_of(1, {0}));
  told.tell(request);
  EXPECT_EQ(told.tell(request).acknowledged_sequence(), 1);
  EXPECT_EQ(dist::from_message(told.run().epoch_so_far()), part_of(1, 0));
}

TEST(RunBookTest, RankReportedByTwoSpeakersCountsOnce) {
  ToldBook told;
  told.tell(registration(3));
  told.tell(report(1, step_of(1, {0, 1})));
  told.tell(report(1, step_of(1, {1, 2}), 2));
  Totals all = part_of(1, 0);
  all += part_of(1, 1);
  all += part_of(1, 2);
  EXPECT_EQ(dist::from_message(told.run().epoch_so_far()), all);
}

TEST(RunBookTest, MissingReportIsAborted) {
  ToldBook told;
  told.tell(registration(1));
  told.tell(report(1));
  expect_refusal(Kind::kAborted, "sequence is 3 after 1", [&] { told.tell(report(3)); });
  expect_refusal(Kind::kAborted, "send again from 2", [&] { told.tell(finished_epoch(4, 1, 1)); });
  EXPECT_EQ(told.tell(heartbeat()).acknowledged_sequence(), 1);
}

TEST(RunBookTest, RefusedReportChangesNothing) {
  ToldBook told;
  told.tell(registration(2));
  told.tell(report(1, step_of(1, {0})));
  v1::ReportProgressRequest bad = report(2, step_of(2, {0}));
  *bad.add_steps() = step_of(3, {2});
  expect_refusal(Kind::kInvalidArgument, "steps[1].ranks[0].rank is 2", [&] { told.tell(bad); });
  v1::ReportProgressRequest contrary = report(1, step_of(1, {1}), 1);
  contrary.mutable_steps(0)->set_epoch(2);
  expect_refusal(Kind::kInvalidArgument, "step 1", [&] { told.tell(contrary); });
  EXPECT_EQ(told.tell(heartbeat()).acknowledged_sequence(), 1);
  EXPECT_EQ(told.tell(heartbeat(1)).acknowledged_sequence(), 0);
}

TEST(RunBookTest, LostStepsAreCountedAndNotWaitedFor) {
  ToldBook told;
  told.tell(registration(1));
  told.tell(report(1, step_of(1, {0})));
  v1::ReportProgressRequest request = report(2, step_of(5, {0}));
  v1::StepRange& range = *request.add_lost();
  range.set_first(2);
  range.set_last(4);
  told.tell(request);
  EXPECT_EQ(told.run().step(), 5);
  EXPECT_EQ(told.run().lost_steps(), 3);
  EXPECT_TRUE(told.has_event("rank 0 had to drop the reports of 3 steps, from 2 to 4"));
}

TEST(RunBookTest, TooManyOpenStepsLoseTheOldest) {
  ToldBook told({.open_steps = 3});
  told.tell(registration(2));
  for (std::int64_t step = 1; step <= 5; ++step) {
    told.tell(report(step, step_of(step, {0})));
  }
  EXPECT_EQ(told.run().step(), 2);
  EXPECT_EQ(told.run().lost_steps(), 2);
}

TEST(RunBookTest, FinishedEpochShowsWhatWasAddedUp) {
  ToldBook told;
  told.tell(registration(2));
  for (std::int64_t step = 1; step <= 9; ++step) {
    told.tell(report(step, step_of(step, {0, 1})));
  }
  told.tell(report(10, step_of(10, {0})));
  told.tell(finished_epoch(11, 1, 2));
  EXPECT_EQ(told.run().epoch(), 2);
  EXPECT_NE(told.run().last_epoch().aggregated().images(),
            told.run().last_epoch().train().images());
  // A rank whose report comes after the epoch was finished still counts.
  told.tell(report(1, step_of(10, {1}), 1));
  const v1::EpochMetrics epoch = told.run().last_epoch();
  EXPECT_EQ(dist::from_message(epoch.aggregated()), dist::from_message(epoch.train()));
  told.keep();
  EXPECT_EQ(dist::from_message(told.epochs.at({1, 1}).metrics.aggregated()), epoch_of_ranks(1, 2));
  EXPECT_TRUE(told.has_event("epoch 1 finished: loss"));
}

TEST(RunBookTest, NewGenerationForgetsWhatIsDoneAgain) {
  ToldBook told;
  told.tell(registration(1));
  std::int64_t sequence = 0;
  for (std::int64_t step = 1; step <= 17; ++step) {
    told.tell(report(++sequence, step_of(step, {0})));
    if (step == kEpochSteps) {
      told.tell(finished_epoch(++sequence, 1, 1));
    }
  }
  EXPECT_EQ(told.tell(registration(2, 2, 14)).acknowledged_sequence(), 0);
  v1::Run run = told.run();
  EXPECT_EQ(run.step(), 14);
  EXPECT_EQ(run.epoch(), 2);
  EXPECT_EQ(run.last_epoch().epoch(), 1);
  EXPECT_TRUE(told.has_event("resumed at step 14 with 2 ranks, generation 2"));
  told.keep();
  EXPECT_FALSE(told.steps.contains({1, 15}));
  EXPECT_TRUE(told.steps.contains({1, 14}));
  // The epoch that was under way is added up of both generations.
  sequence = 0;
  Totals truth;
  for (std::int64_t step = 11; step <= 14; ++step) {
    truth += part_of(step, 0);
  }
  EXPECT_EQ(dist::from_message(run.epoch_so_far()), truth);
  for (std::int64_t step = 15; step <= 20; ++step) {
    told.tell(report(++sequence, step_of(step, {0, 1}), 0, 2));
    truth += part_of(step, 0);
    truth += part_of(step, 1);
  }
  told.tell(finished_epoch(++sequence, 2, 2, 2));
  EXPECT_EQ(dist::from_message(told.run().last_epoch().aggregated()), truth);
}

TEST(RunBookTest, FinishedEpochBeyondTheResumedStepIsForgotten) {
  ToldBook told;
  told.tell(registration(1));
  for (std::int64_t step = 1; step <= 10; ++step) {
    told.tell(report(step, step_of(step, {0})));
  }
  told.tell(finished_epoch(11, 1, 1));
  told.tell(registration(1, 2, 5));
  EXPECT_FALSE(told.run().has_last_epoch());
  told.keep();
  EXPECT_FALSE(told.epochs.at({1, 1}).finished);
}

TEST(RunBookTest, CoordinatorThatForgotTakesUpWhereTheCallerIs) {
  ToldBook told;
  v1::RegisterRunRequest request = registration(2);
  request.set_first_sequence(12);
  *request.add_epochs() = finished_epoch(1, 1, 2).epoch();
  EXPECT_EQ(told.tell(request).acknowledged_sequence(), 11);
  EXPECT_EQ(told.run().last_epoch().epoch(), 1);
  v1::ReportProgressRequest first = report(12, step_of(12, {0}));
  first.add_lost()->set_first(10);
  first.mutable_lost(0)->set_last(11);
  told.tell(first);
  told.tell(report(7, step_of(12, {1}), 1));
  EXPECT_EQ(told.run().step(), 12);
  EXPECT_EQ(told.run().lost_steps(), 2) << "those before are not known, and not called lost";
  expect_refusal(Kind::kAborted, "after 7", [&] { told.tell(report(9, 1)); });
}

TEST(RunBookTest, SilentRunIsLostAndComesBackWithAWord) {
  ToldBook told;
  told.tell(registration(1));
  told.pass(seconds(10));
  EXPECT_EQ(told.run().state(), v1::RUN_STATE_RUNNING);
  told.pass(milliseconds(1));
  EXPECT_EQ(told.run().state(), v1::RUN_STATE_LOST);
  EXPECT_EQ(told.run().ranks_alive(), 0);
  EXPECT_TRUE(told.has_event("lost: nothing was heard of it for 10 s"));
  told.tell(heartbeat());
  EXPECT_EQ(told.run().state(), v1::RUN_STATE_RUNNING);
  EXPECT_EQ(told.run().state_reason(), "");
  EXPECT_TRUE(told.has_event("heard of again"));
}

TEST(RunBookTest, HeartbeatSaysWhoIsAlive) {
  ToldBook told;
  v1::RegisterRunRequest request = registration(3);
  *request.mutable_lease() = dist::to_message(dist::nanoseconds(seconds(4)));
  told.tell(request);
  told.pass(seconds(3));
  v1::HeartbeatRequest beat = heartbeat(0);
  beat.add_alive(2);
  beat.set_waiting_for("rank 1 (node1)");
  told.tell(beat);
  told.pass(seconds(2));
  const v1::Run run = told.run();
  EXPECT_EQ(run.ranks_alive(), 2);
  EXPECT_EQ(run.phase(), v1::PHASE_TRAINING);
  EXPECT_EQ(run.waiting_for(), "rank 1 (node1)");
  v1::ListRanksRequest list;
  list.set_run("night-run");
  EXPECT_FALSE(told.book.list_ranks(list, told.now).ranks(1).alive());
}

TEST(RunBookTest, StopIsPassedOnAndFulfilledOnce) {
  ToldBook told;
  told.tell(registration(1));
  EXPECT_EQ(told.stop("Ada: maintenance").state(), v1::RUN_STATE_STOPPING);
  EXPECT_EQ(told.run().state_reason(), "Ada: maintenance");
  EXPECT_TRUE(told.tell(heartbeat()).stop_requested());
  EXPECT_TRUE(told.tell(report(1)).stop_requested());
  told.tell(finished_run(2, v1::RUN_STATE_STOPPED, "checkpoint step-00000012"));
  EXPECT_EQ(told.run().state(), v1::RUN_STATE_STOPPED);
  EXPECT_EQ(told.run().state_reason(), "checkpoint step-00000012");
  EXPECT_FALSE(told.tell(heartbeat()).stop_requested());
  EXPECT_EQ(told.stop("again").state(), v1::RUN_STATE_STOPPED);
  told.tell(registration(1, 2, 12));
  EXPECT_FALSE(told.tell(heartbeat(0, 2)).stop_requested());
  EXPECT_TRUE(told.has_event("asked to stop: Ada: maintenance"));
}

TEST(RunBookTest, StopOfALostRunWaitsForIt) {
  ToldBook told;
  told.tell(registration(1));
  told.pass(seconds(11));
  EXPECT_EQ(told.stop("").state(), v1::RUN_STATE_LOST);
  EXPECT_TRUE(told.tell(heartbeat()).stop_requested());
  EXPECT_EQ(told.run().state(), v1::RUN_STATE_STOPPING);
}

TEST(RunBookTest, EndedRunStaysEnded) {
  ToldBook told;
  told.tell(registration(2));
  told.tell(finished_run(1, v1::RUN_STATE_FAILED, "rank 1 was killed"));
  told.pass(seconds(3600));
  told.tell(heartbeat(1));
  told.tell(report(1, step_of(1, {0, 1}), 1));
  const v1::Run run = told.run();
  EXPECT_EQ(run.state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(run.state_reason(), "rank 1 was killed");
  EXPECT_EQ(run.step(), 1) << "reports that were under way still count";
  EXPECT_EQ(run.ranks_alive(), 0);
  EXPECT_FALSE(run.has_remaining());
  EXPECT_TRUE(run.has_end_time());
}

TEST(RunBookTest, SpeedAndRemainingAreOfTheLastTwentySteps) {
  ToldBook told;
  told.tell(registration(1));
  std::int64_t images = 0;
  for (std::int64_t step = 1; step <= 24; ++step) {
    v1::StepReport slow = step_of(step, {0});
    if (step <= 4) {
      *slow.mutable_duration() = dist::to_message(dist::nanoseconds(seconds(50)));
    } else {
      images += part_of(step, 0).images;
    }
    told.tell(report(step, slow));
  }
  EXPECT_DOUBLE_EQ(told.run().images_per_second(), static_cast<double>(images) / 2.0);
  EXPECT_EQ(dist::from_message(told.run().remaining()), milliseconds(600));
}

TEST(RunBookTest, StragglerIsNamedWithItsFactorAndGoes) {
  ToldBook told;
  told.tell(registration(4));
  std::int64_t step = 0;
  const auto train = [&](milliseconds of_rank_2, std::int64_t steps) {
    for (std::int64_t i = 0; i < steps; ++i) {
      ++step;
      v1::StepReport report_of_step = step_of(step, {0, 1, 3}, milliseconds(50));
      *report_of_step.add_ranks() = step_of(step, {2}, of_rank_2).ranks(0);
      told.pass(milliseconds(1000));
      told.tell(report(step, report_of_step));
    }
  };
  train(milliseconds(95), 10);
  EXPECT_EQ(told.run().straggler().rank(), 2);
  EXPECT_EQ(told.run().straggler().host(), "node2");
  EXPECT_DOUBLE_EQ(told.run().straggler().factor(), 1.9);
  EXPECT_TRUE(told.has_event("rank 2 (node2) is slow: it computes 1.90 times"));
  train(milliseconds(50), 20);
  EXPECT_FALSE(told.run().has_straggler());
  EXPECT_TRUE(told.has_event("rank 2 is no longer slow"));
}

TEST(RunBookTest, ListOfRunsHasPagesAndStates) {
  ToldBook told;
  for (int i = 0; i < 5; ++i) {
    v1::RegisterRunRequest request = registration(1);
    request.set_run("run-" + std::to_string(i));
    told.tell(request);
  }
  v1::FinishRunRequest end = finished_run(1, v1::RUN_STATE_SUCCEEDED);
  end.set_run("run-1");
  told.tell(end);
  v1::ListRunsRequest list;
  list.set_page_size(2);
  std::vector<std::string> names;
  do {
    const v1::ListRunsResponse response = told.book.list_runs(list, told.now);
    for (const v1::Run& run : response.runs()) {
      names.push_back(run.run());
    }
    list.set_page_token(response.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(names, (std::vector<std::string>{"run-4", "run-3", "run-2", "run-1", "run-0"}));
  list.clear_page_size();
  list.add_states(v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(told.book.list_runs(list, told.now).runs_size(), 1);
}

TEST(RunBookTest, PageTokenOfAnotherQuestionIsRefused) {
  ToldBook told;
  told.tell(registration(3));
  v1::ListRanksRequest list;
  list.set_run("night-run");
  list.set_page_size(1);
  const std::string token = told.book.list_ranks(list, told.now).next_page_token();
  list.set_page_token(token);
  EXPECT_EQ(told.book.list_ranks(list, told.now).ranks(0).info().rank(), 1);
  v1::ListRunsRequest runs;
  runs.set_page_token(token);
  const auto refused = [&] { told.book.list_runs(runs, told.now); };
  expect_refusal(Kind::kInvalidArgument, "page_token", refused);
  runs.set_page_token("7-");
  expect_refusal(Kind::kInvalidArgument, "page_token", refused);
  runs.set_page_token(std::string(100'000, 'f'));
  expect_refusal(Kind::kInvalidArgument, "page_token", refused);
}

TEST(RunBookTest, OldestEndedRunsMakeRoomOrNewOnesAreRefused) {
  ToldBook told({.runs = 2});
  v1::RegisterRunRequest request = registration(1);
  for (const char* name : {"one", "two"}) {
    request.set_run(name);
    told.tell(request);
  }
  request.set_run("three");
  expect_refusal(Kind::kResourceExhausted, "three", [&] { told.tell(request); });
  v1::FinishRunRequest end = finished_run(1, v1::RUN_STATE_SUCCEEDED);
  end.set_run("two");
  told.tell(end);
  told.tell(request);
  told.keep();
  EXPECT_EQ(told.forgotten, std::vector<std::string>{"two"});
  expect_refusal(Kind::kNotFound, "'two'", [&] { told.book.run_id("two"); });
}

TEST(RunBookTest, EndedRunsAndOldStepsAreForgotten) {
  ToldBook told({.steps_per_run = 5, .keep_ended = std::chrono::hours(1)});
  told.tell(registration(1));
  for (std::int64_t step = 1; step <= 12; ++step) {
    told.tell(report(step, step_of(step, {0})));
  }
  told.keep();
  EXPECT_EQ(told.steps.size(), 5U);
  told.tell(finished_run(13, v1::RUN_STATE_SUCCEEDED));
  told.pass(std::chrono::minutes(59));
  EXPECT_EQ(told.run().state(), v1::RUN_STATE_SUCCEEDED);
  told.pass(std::chrono::minutes(2));
  expect_refusal(Kind::kNotFound, "night-run", [&] { told.run(); });
}

TEST(RunBookTest, NotesBecomeEventsOfOneLine) {
  ToldBook told;
  told.tell(registration(1));
  v1::ReportProgressRequest request = report(1);
  v1::Note& note = *request.add_notes();
  note.set_severity(v1::SEVERITY_WARNING);
  note.set_text("loss is\nno number\x1b[2J");
  told.tell(request);
  EXPECT_TRUE(told.has_event("loss is no number [2J"));
}

}  // namespace
}  // namespace convoy::testing
