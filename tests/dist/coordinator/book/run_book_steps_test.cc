// What a RunBook makes of reports: steps, epochs, and who is slow. Its other rules are in
// run_book_test.cc.
#include "dist/coordinator/book/run_book.h"

#include <gtest/gtest.h>

#include "tests/dist/coordinator/book/told_book.h"

namespace convoy::testing {
namespace {

using dist::Refusal;
using dist::Totals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Refusal::Kind;

TEST(RunBookStepsTest, StepIsCompleteWhenAllRanksHaveReportedIt) {
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

TEST(RunBookStepsTest, LaterStepsWaitForEarlierOnes) {
  ToldBook told;
  told.tell(registration(2));
  told.tell(report(1, step_of(1, {0})));
  told.tell(report(2, step_of(2, {0, 1})));
  EXPECT_EQ(told.run().step(), 0);
  told.tell(report(1, step_of(1, {1}), 1));
  EXPECT_EQ(told.run().step(), 2);
}

TEST(RunBookStepsTest, RepeatedReportIsAcknowledgedAndCountsOnce) {
  ToldBook told;
  told.tell(registration(1));
  const v1::ReportProgressRequest request = report(1, step_of(1, {0}));
  told.tell(request);
  EXPECT_EQ(told.tell(request).acknowledged_sequence(), 1);
  EXPECT_EQ(dist::from_message(told.run().epoch_so_far()), part_of(1, 0));
}

TEST(RunBookStepsTest, RankReportedByTwoSpeakersCountsOnce) {
  ToldBook told;
  told.tell(registration(3));
  told.tell(report(1, step_of(1, {0, 1})));
  told.tell(report(1, step_of(1, {1, 2}), 2));
  Totals all = part_of(1, 0);
  all += part_of(1, 1);
  all += part_of(1, 2);
  EXPECT_EQ(dist::from_message(told.run().epoch_so_far()), all);
}

TEST(RunBookStepsTest, MissingReportIsAborted) {
  ToldBook told;
  told.tell(registration(1));
  told.tell(report(1));
  expect_refusal(Kind::kAborted, "sequence is 3 after 1", [&] { told.tell(report(3)); });
  expect_refusal(Kind::kAborted, "send again from 2", [&] { told.tell(finished_epoch(4, 1, 1)); });
  EXPECT_EQ(told.tell(heartbeat()).acknowledged_sequence(), 1);
}

TEST(RunBookStepsTest, RefusedReportChangesNothing) {
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

TEST(RunBookStepsTest, LostStepsAreCountedAndNotWaitedFor) {
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

TEST(RunBookStepsTest, TooManyOpenStepsLoseTheOldest) {
  ToldBook told({.open_steps = 3});
  told.tell(registration(2));
  for (std::int64_t step = 1; step <= 5; ++step) {
    told.tell(report(step, step_of(step, {0})));
  }
  EXPECT_EQ(told.run().step(), 2);
  EXPECT_EQ(told.run().lost_steps(), 2);
}

TEST(RunBookStepsTest, FinishedEpochShowsWhatWasAddedUp) {
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

TEST(RunBookStepsTest, NewGenerationForgetsWhatIsDoneAgain) {
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

TEST(RunBookStepsTest, FinishedEpochBeyondTheResumedStepIsForgotten) {
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

TEST(RunBookStepsTest, CoordinatorThatForgotTakesUpWhereTheCallerIs) {
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

TEST(RunBookStepsTest, SpeedAndRemainingAreOfTheLastTwentySteps) {
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

TEST(RunBookStepsTest, EndOfAnEpochIsAnEventInShortNumbers) {
  ToldBook told;
  told.tell(registration(1));
  v1::FinishEpochRequest end = finished_epoch(1, 1, 1);
  dist::set_message(*end.mutable_epoch()->mutable_train(),
                    {.images = 800, .correct = 790, .loss_sum = 20.0});
  dist::set_message(*end.mutable_epoch()->mutable_test(),
                    {.images = 100, .correct = 10, .loss_sum = 1.2345678e22});
  told.tell(end);
  EXPECT_TRUE(told.has_event(
      "epoch 1 finished: loss 0.0250, accuracy 98.75 %; test loss 1.235e+20, accuracy 10.00 %"));
}

TEST(RunBookStepsTest, StragglerIsNamedWithItsFactorAndGoes) {
  ToldBook told;
  v1::RegisterRunRequest request = registration(4);
  request.mutable_spec()->set_epochs(4);
  request.mutable_spec()->set_steps(4 * kEpochSteps);
  told.tell(request);
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
  train(milliseconds(95), 9);
  EXPECT_FALSE(told.run().has_straggler()) << "compared from the fifth step on, 4 s ago";
  train(milliseconds(95), 1);
  EXPECT_EQ(told.run().straggler().rank(), 2);
  EXPECT_EQ(told.run().straggler().host(), "node2");
  EXPECT_DOUBLE_EQ(told.run().straggler().factor(), 1.9);
  EXPECT_TRUE(told.has_event("rank 2 (node2) is slow: it computes 1.90 times"));
  train(milliseconds(50), 22);
  EXPECT_EQ(told.run().straggler().rank(), 2) << "below 1.1 for 4 s";
  train(milliseconds(50), 1);
  EXPECT_FALSE(told.run().has_straggler());
  EXPECT_TRUE(told.has_event("rank 2 is no longer slow"));
}

}  // namespace
}  // namespace convoy::testing
