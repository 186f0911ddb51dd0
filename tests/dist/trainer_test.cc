#include "dist/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "tests/dist/training_run.h"

namespace convoy::dist {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using testing::TrainingRun;

struct Recorder : Observer {
  void on_epoch_end(const EpochResult& result) override { epochs.push_back(result); }
  void on_step(const StepResult& step) override { last = step.position; }
  bool stop_requested() override { return last.step + 1 == stop_at; }

  void on_checkpoint(const Snapshot& taken) override { snapshots.push_back(taken); }

  std::vector<EpochResult> epochs;
  std::vector<Snapshot> snapshots;
  Position last;
  std::int64_t stop_at = -1;
};

// Asks it to stop after that step.
Recorder run_until(TrainingRun& run, std::int64_t step) {
  Recorder recorder;
  recorder.stop_at = step;
  EXPECT_EQ(run.trainer.run(recorder), Outcome::kStopped);
  return recorder;
}

TEST(TrainerTest, LearnsAndReportsEveryImageOfEveryEpoch) {
  TrainingRun run({.epochs = 8, .batch_size = 16});
  Recorder recorder;
  EXPECT_EQ(run.trainer.run(recorder), Outcome::kDone);
  ASSERT_EQ(recorder.epochs.size(), 8U);
  for (const EpochResult& epoch : recorder.epochs) {
    EXPECT_EQ(epoch.train.images, 203);
    EXPECT_EQ(epoch.test.metrics.images, 101);
  }
  EXPECT_EQ(run.trainer.steps_per_epoch(), 13);
  EXPECT_EQ(run.trainer.position().step, 8 * 13);
  EXPECT_LT(recorder.epochs.back().train.loss(), 0.5 * recorder.epochs.front().train.loss());
  EXPECT_GT(recorder.epochs.back().test.metrics.accuracy(), 0.7);
}

TEST(TrainerTest, BitsDependOnTheSeedAndNotOnThreads) {
  const auto weights = [](std::uint64_t seed, int threads) {
    set_num_threads(threads);
    TrainingRun run({.epochs = 2,
                     .batch_size = 32,
                     .seed = seed,
                     .clip_norm = 1.0,
                     .augment = {.shift = 2, .rotation = 10}});
    Recorder recorder;
    run.trainer.run(recorder);
    return run.weights();
  };
  const std::vector<float> once = weights(1, 1);
  EXPECT_EQ(once, weights(1, 3));
  EXPECT_NE(once, weights(2, 1));
}

TEST(TrainerTest, AccumulatingEqualsALargerBatch) {
  const auto weights = [](std::int64_t batch_size, std::int64_t accumulate) {
    TrainingRun run({.epochs = 2, .batch_size = batch_size, .accumulate = accumulate}, 0.001,
                    /*batch_norm=*/false);
    Recorder recorder;
    run.trainer.run(recorder);
    EXPECT_EQ(run.trainer.steps_per_epoch(), 7);  // 203 / 32, with a tail of 11
    return run.weights();
  };
  const std::vector<float> whole = weights(32, 1);
  const std::vector<float> parts = weights(8, 4);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    ASSERT_NEAR(whole[i], parts[i], 1e-5) << i;
  }
}

TEST(TrainerTest, MaxStepsEndsTrainingWithAnEvaluation) {
  TrainingRun run({.epochs = 5, .batch_size = 16, .max_steps = 20});
  Recorder recorder;
  EXPECT_EQ(run.trainer.run(recorder), Outcome::kDone);
  EXPECT_EQ(run.trainer.position().step, 20);
  ASSERT_EQ(recorder.epochs.size(), 2U);
  EXPECT_EQ(recorder.epochs[1].train.images, 7 * 16);
}

TEST(TrainerTest, TheLastSnapshotSaysSo) {
  const auto lasts = [](TrainerOptions options, std::int64_t stop_at = -1) {
    TrainingRun run(std::move(options));
    Recorder recorder;
    recorder.stop_at = stop_at;
    run.trainer.run(recorder);
    std::vector<bool> lasts;
    for (const Snapshot& snapshot : recorder.snapshots) {
      lasts.push_back(snapshot.last);
    }
    return lasts;
  };
  EXPECT_THAT(lasts({.epochs = 3, .batch_size = 16}), ElementsAre(false, false, true));
  EXPECT_THAT(lasts({.epochs = 3, .batch_size = 16, .max_steps = 20}), ElementsAre(false, true));
  // After steps 10, 13 (the epoch) and 20.
  EXPECT_THAT(lasts({.epochs = 3, .batch_size = 16, .checkpoint_every = 10}, 21),
              ElementsAre(false, false, false, true));
}

TEST(TrainerTest, ARunCutShortByMaxStepsGoesOnWithMoreOfThem) {
  TrainingRun straight({.epochs = 3, .batch_size = 16, .max_steps = 30});
  Recorder all;
  straight.trainer.run(all);
  TrainingRun cut({.epochs = 3, .batch_size = 16, .max_steps = 20});
  Recorder first;
  cut.trainer.run(first);
  EXPECT_EQ(first.snapshots.back().position.epoch, 1);
  EXPECT_EQ(first.snapshots.back().position.batch, 7);
  TrainingRun longer({.epochs = 3, .batch_size = 16, .max_steps = 30});
  std::ranges::copy(cut.store.all_values(), longer.store.all_values().begin());
  longer.trainer.restore(first.snapshots.back());
  Recorder second;
  EXPECT_EQ(longer.trainer.run(second), Outcome::kDone);
  EXPECT_EQ(straight.weights(), longer.weights());
  ASSERT_EQ(second.epochs.size(), 2U);
  EXPECT_EQ(second.epochs[0].train.images, 203);
}

TEST(TrainerTest, ARequestStopsItAfterTheStep) {
  TrainingRun run({.epochs = 5, .batch_size = 16});
  Recorder recorder;
  recorder.stop_at = 15;
  EXPECT_EQ(run.trainer.run(recorder), Outcome::kStopped);
  EXPECT_EQ(run.trainer.position().step, 15);
  EXPECT_EQ(run.trainer.position().epoch, 1);
  EXPECT_EQ(run.trainer.position().batch, 2);
}

TEST(TrainerTest, GoesOnWhereARequestStoppedIt) {
  TrainingRun straight({.epochs = 2, .batch_size = 16});
  Recorder all;
  straight.trainer.run(all);
  TrainingRun broken({.epochs = 2, .batch_size = 16});
  const Recorder first = run_until(broken, 15);
  Recorder second;
  EXPECT_EQ(broken.trainer.run(second), Outcome::kDone);
  EXPECT_EQ(straight.weights(), broken.weights());
}

TEST(TrainerTest, AnotherTrainerGoesOnFromASnapshotInTheMiddleOfAnEpoch) {
  TrainingRun straight({.epochs = 2, .batch_size = 16});
  Recorder all;
  straight.trainer.run(all);
  TrainingRun broken({.epochs = 2, .batch_size = 16});
  const Recorder first = run_until(broken, 15);
  TrainingRun resumed({.epochs = 2, .batch_size = 16});
  std::ranges::copy(broken.store.all_values(), resumed.store.all_values().begin());
  resumed.trainer.restore(first.snapshots.back());
  Recorder second;
  EXPECT_EQ(resumed.trainer.run(second), Outcome::kDone);
  EXPECT_EQ(straight.weights(), resumed.weights());
  EXPECT_EQ(second.epochs.back().train.images, 203);
  EXPECT_EQ(second.epochs.back().train.loss_sum, all.epochs.back().train.loss_sum);
}

TEST(TrainerTest, AStopAtTheEndOfAnEpochCanBeGoneOnFrom) {
  TrainingRun straight({.epochs = 2, .batch_size = 16});
  Recorder all;
  straight.trainer.run(all);
  TrainingRun broken({.epochs = 2, .batch_size = 16});
  Recorder first;
  first.stop_at = 13;
  EXPECT_EQ(broken.trainer.run(first), Outcome::kStopped);
  TrainingRun resumed({.epochs = 2, .batch_size = 16});
  std::ranges::copy(broken.store.all_values(), resumed.store.all_values().begin());
  resumed.trainer.restore(first.snapshots.back());
  Recorder second;
  EXPECT_EQ(resumed.trainer.run(second), Outcome::kDone);
  EXPECT_EQ(straight.weights(), resumed.weights());
  EXPECT_EQ(second.epochs.size(), 2U);
}

TEST(TrainerTest, CheckpointsAreDueEverySoManyStepsAndAfterEveryEpoch) {
  TrainingRun run({.epochs = 2, .batch_size = 16, .checkpoint_every = 5});
  Recorder recorder;
  run.trainer.run(recorder);
  std::vector<std::int64_t> steps;
  for (const Snapshot& snapshot : recorder.snapshots) {
    steps.push_back(snapshot.position.step);
  }
  EXPECT_EQ(steps, (std::vector<std::int64_t>{5, 10, 13, 15, 20, 25, 26}));
}

TEST(TrainerTest, ALossThatIsNoNumberEndsItWithEpochAndStep) {
  TrainingRun run({.epochs = 5, .batch_size = 16}, 1e30, /*batch_norm=*/false);
  Recorder recorder;
  EXPECT_THAT([&] { run.trainer.run(recorder); },
              ThrowsMessage<Error>(HasSubstr("at epoch 1, step ")));
}

TEST(TrainerTest, RefusesImpossibleOptions) {
  EXPECT_THROW(TrainingRun({.epochs = 0}), Error);
  EXPECT_THROW(TrainingRun({.batch_size = 0}), Error);
  EXPECT_THROW(TrainingRun({.max_steps = 0}), Error);
}

}  // namespace
}  // namespace convoy::dist
