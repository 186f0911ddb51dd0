#include "dist/coordinator/book/run_book.h"

#include <gtest/gtest.h>

#include "tests/dist/coordinator/book/told_book.h"

namespace convoy::testing {
namespace {

using dist::Refusal;
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
