// What convoy promises: the number of ranks changes the speed, never the result. A model with
// dropout and batch norm, augmentation on, 203 images in batches of 32: a tail of 11.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "tests/dist/thread_communicator.h"
#include "tests/dist/training_run.h"

namespace convoy::dist {
namespace {

using testing::Memory;
using testing::TrainingRun;

// What the ranks of the test at hand have in common.
Memory memory = Memory::kApart;

void run_ranks(int size, const std::function<void(Communicator&)>& body) {
  testing::run_ranks(size, body, memory);
}

struct Recorder : Observer {
  void on_epoch_end(const EpochResult& result) override { epochs.push_back(result); }
  void on_step(const StepResult& step) override { last = step.position; }
  void on_checkpoint(const Snapshot& taken) override { snapshot = taken; }
  void on_note(const std::string& text) override { notes.push_back(text); }
  bool stop_requested() override { return last.step + 1 == stop_at; }

  std::vector<EpochResult> epochs;
  std::vector<std::string> notes;
  Position last;
  Snapshot snapshot;
  std::int64_t stop_at = -1;
};

struct Result {
  std::vector<float> everything;
  std::vector<EpochResult> epochs;
  std::int64_t bytes_sent;  // to other ranks, by any of these
};

TrainerOptions options_of(std::int64_t epochs = 2) {
  return {.epochs = epochs, .batch_size = 32, .augment = {.shift = 2, .rotation = 10}};
}

// Trains on `ranks` ranks; checks that they agree and gives rank 0's result.
Result train(int ranks, const TrainerOptions& options, bool batch_norm = true) {
  std::mutex mutex;
  std::vector<Result> results;
  run_ranks(ranks, [&](Communicator& communicator) {
    TrainingRun run(communicator, options, 0.01, batch_norm);
    Recorder recorder;
    run.trainer.run(recorder);
    const std::lock_guard lock(mutex);
    results.push_back(
        {run.everything(), recorder.epochs, run.trainer.reduce_statistics().bytes_sent});
  });
  for (const Result& result : results) {
    EXPECT_EQ(result.everything, results.front().everything);
    EXPECT_EQ(result.epochs.back().train.loss_sum, results.front().epochs.back().train.loss_sum);
  }
  return results.front();
}

void expect_same(const Result& a, const Result& b, const std::string& what) {
  EXPECT_EQ(a.everything, b.everything) << what;
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t i = 0; i < a.epochs.size(); ++i) {
    const auto metrics = [](const Metrics& m) {
      return std::tuple(m.images, m.correct, m.loss_sum);
    };
    EXPECT_EQ(metrics(a.epochs[i].train), metrics(b.epochs[i].train)) << what;
    EXPECT_EQ(metrics(a.epochs[i].test.metrics), metrics(b.epochs[i].test.metrics)) << what;
    EXPECT_EQ(a.epochs[i].test.confusion, b.epochs[i].test.confusion) << what;
  }
}

class RankParityTest : public ::testing::TestWithParam<Memory> {
 protected:
  void SetUp() override {
    set_num_threads(1);
    memory = GetParam();
  }
};

INSTANTIATE_TEST_SUITE_P(Ranks, RankParityTest, ::testing::Values(Memory::kApart, Memory::kShared));

TEST_P(RankParityTest, ReproducibleRunsHaveTheSameBitsForAnyNumberOfRanks) {
  TrainerOptions options = options_of();
  options.reproducible = true;
  options.clip_norm = 1.0;
  const Result alone = train(1, options);
  for (const int ranks : {2, 3, 4, 5, 8}) {
    expect_same(alone, train(ranks, options), fmt::format("{} ranks", ranks));
  }
  set_num_threads(2);
  TrainingRun threads(options);
  Recorder recorder;
  threads.trainer.run(recorder);
  expect_same(alone, {threads.everything(), recorder.epochs, 0}, "2 threads");
  set_num_threads(1);
  options.reproducible = false;
  EXPECT_NE(train(1, options).everything, alone.everything) << "this test could not fail";
}

TEST_P(RankParityTest, ReproducibleRunsAccumulateAlike) {
  TrainerOptions options = options_of();
  options.reproducible = true;
  options.batch_size = 16;
  options.accumulate = 3;
  options.micro_shards = 5;
  const Result alone = train(1, options);
  expect_same(alone, train(3, options), "3 ranks");
  expect_same(alone, train(5, options), "5 ranks");
}

TEST_P(RankParityTest, OtherwiseResultsAgreeClosely) {
  TrainerOptions options = options_of();
  options.max_steps = 10;
  const Result alone = train(1, options);
  for (const int ranks : {2, 3, 4, 5, 8}) {
    const Result many = train(ranks, options);
    double difference = 0;
    double norm = 0;
    for (std::size_t i = 0; i < alone.everything.size(); ++i) {
      difference += std::pow(static_cast<double>(many.everything[i] - alone.everything[i]), 2);
      norm += std::pow(static_cast<double>(alone.everything[i]), 2);
    }
    EXPECT_LT(std::sqrt(difference / norm), 1e-5) << ranks << " ranks";
    EXPECT_EQ(many.epochs.back().train.images, alone.epochs.back().train.images);
    EXPECT_NEAR(many.epochs.back().train.loss(), alone.epochs.back().train.loss(), 1e-5);
  }
}

TEST_P(RankParityTest, MoreRanksThanImagesInTheBatch) {
  TrainerOptions options = options_of(1);
  options.batch_size = 5;  // and a tail of 3
  const Result alone = train(1, options);
  const Result many = train(8, options);
  EXPECT_EQ(many.epochs[0].train.images, 203);
  EXPECT_EQ(many.epochs[0].test.metrics.images, 101);
  EXPECT_NEAR(many.epochs[0].train.loss(), alone.epochs[0].train.loss(), 1e-3);
}

TEST_P(RankParityTest, MicroShardsWithoutImagesAddNothing) {
  TrainerOptions options = options_of(1);
  options.reproducible = true;
  options.batch_size = 5;
  const Result alone = train(1, options);
  expect_same(alone, train(3, options), "3 ranks");
  expect_same(alone, train(8, options), "8 ranks");
}

TEST_P(RankParityTest, BucketsAndOverlapDoNotChangeABit) {
  TrainerOptions options = options_of(1);
  options.clip_norm = 0.5;
  options.reduce = {.bucket_bytes = 1 << 20, .overlap = Overlap::kOff};
  const Result whole = train(3, options);
  for (const Overlap overlap : {Overlap::kPoll, Overlap::kThread, Overlap::kAuto}) {
    options.reduce = {.bucket_bytes = 1, .overlap = overlap};
    expect_same(whole, train(3, options), "small buckets");
  }
}

TEST_P(RankParityTest, AShardedOptimizerChangesNoBit) {
  TrainerOptions options = options_of();
  options.clip_norm = 0.5;
  for (const bool reproducible : {false, true}) {
    options.reproducible = reproducible;
    for (const int ranks : {1, 3, 4}) {
      options.shard_optimizer = false;
      const Result whole = train(ranks, options);
      options.shard_optimizer = true;
      expect_same(whole, train(ranks, options), fmt::format("{} ranks", ranks));
    }
  }
}

TEST_P(RankParityTest, AStoppedRunGoesOnWithAnotherNumberOfRanks) {
  TrainerOptions options = options_of(3);
  options.reproducible = true;
  const Result straight = train(1, options);
  for (const bool sharded : {false, true}) {
    options.shard_optimizer = sharded;
    for (const std::int64_t stop_at : {1, 3, 7, 10}) {
      Snapshot snapshot;
      std::vector<float> weights;
      run_ranks(3, [&](Communicator& communicator) {
        TrainingRun run(communicator, options);
        Recorder recorder;
        recorder.stop_at = communicator.rank() == 1 ? stop_at : -1;  // one rank is enough
        EXPECT_EQ(run.trainer.run(recorder), Outcome::kStopped);
        EXPECT_EQ(run.trainer.position().step, stop_at);
        if (communicator.rank() == 0) {
          snapshot = recorder.snapshot;
          weights = run.everything();
        }
      });
      run_ranks(2, [&](Communicator& communicator) {
        TrainingRun run(communicator, options);
        std::ranges::copy(weights, run.store.all_values().begin());
        run.trainer.restore(snapshot);
        Recorder recorder;
        run.trainer.run(recorder);
        EXPECT_EQ(run.everything(), straight.everything) << "stopped at " << stop_at;
        EXPECT_EQ(recorder.epochs.back().train.loss_sum, straight.epochs.back().train.loss_sum);
      });
    }
  }
}

// Where memory is shared a drifted weight becomes its owner's again; statistics are not shared.
TEST_P(RankParityTest, ARankWhoseWeightsHaveDriftedIsNamed) {
  TrainerOptions options = options_of(1);
  const std::string drifting = memory == Memory::kShared ? "norm.running_mean" : "norm.weight";
  options.check_every = 3;
  EXPECT_THAT(
      [&] {
        run_ranks(3, [&](Communicator& communicator) {
          TrainingRun run(communicator, options);
          struct Flip : Observer {
            void on_step(const StepResult& step) override {
              if (step.position.step == 1 && value != nullptr) {
                *value *= 1.0001F;
              }
            }
            float* value = nullptr;
          } flip;
          flip.value =
              communicator.rank() == 2 ? run.store.find(drifting)->value().data() : nullptr;
          run.trainer.run(flip);
        });
      },
      ::testing::ThrowsMessage<Error>(
          ::testing::AllOf(::testing::HasSubstr("rank 2"), ::testing::HasSubstr(drifting))));
}

TEST_P(RankParityTest, Bfloat16GradientsTrainAboutAsWell) {
  TrainerOptions options = options_of(8);
  options.augment = {};
  options.batch_size = 16;
  const Result exact = train(2, options);
  options.reduce.bf16 = true;
  const Result rounded = train(2, options);
  EXPECT_NE(exact.everything, rounded.everything);
  EXPECT_NEAR(exact.epochs.back().test.metrics.accuracy(),
              rounded.epochs.back().test.metrics.accuracy(), 0.1);
  options.reproducible = true;
  EXPECT_THROW(train(2, options), Error);
}

TEST_P(RankParityTest, ALossThatIsNoNumberIsSkippedOrRolledBackByAllRanksTogether) {
  for (const OnNan policy : {OnNan::kSkip, OnNan::kRollBack}) {
    TrainerOptions options = options_of(1);
    options.on_nan = policy;
    run_ranks(3, [&](Communicator& communicator) {
      TrainingRun run(communicator, options);
      const std::vector<float> before = run.everything();
      // Poison one weight on one rank: its loss is NaN, the others' is not.
      Parameter& bias = *run.store.find("fc.bias");
      struct Poison : Recorder {
        void on_step(const StepResult& step) override {
          Recorder::on_step(step);
          if (step.position.step == 2 && bias != nullptr) {
            bias->value().data()[0] = NAN;
          }
        }
        void on_note(const std::string& text) override {
          Recorder::on_note(text);
          if (bias != nullptr) {
            bias->value().data()[0] = 0.0F;
          }
        }
        Parameter* bias = nullptr;
      } recorder;
      recorder.bias = communicator.rank() == 1 ? &bias : nullptr;
      options.check_every = 0;
      run.trainer.run(recorder);
      ASSERT_EQ(recorder.notes.size(), 1U);
      EXPECT_THAT(recorder.notes[0], ::testing::HasSubstr("epoch 1, step 3"));
      EXPECT_EQ(recorder.epochs[0].train.images, 203 - 32);
      EXPECT_EQ(run.trainer.position().step, 7);
    });
  }
}

TEST_P(RankParityTest, ALossThatStaysNoNumberEndsTheRunWhateverThePolicy) {
  TrainerOptions options = options_of(20);
  for (const OnNan policy : {OnNan::kStop, OnNan::kSkip, OnNan::kRollBack}) {
    options.on_nan = policy;
    EXPECT_THROW(run_ranks(2,
                           [&](Communicator& communicator) {
                             TrainingRun run(communicator, options, 1e30, false);
                             Recorder recorder;
                             run.trainer.run(recorder);
                           }),
                 Error);
  }
}

// Nor do gradients that are left as their factors, of which other ranks read less; where a step
// has several slices they are not.
TEST(SharedMemoryParityTest, MemoryInCommonChangesNoBit) {
  set_num_threads(1);
  struct Case {
    bool reproducible;
    std::int64_t accumulate;
    bool batch_norm;  // without, there is one copy of the weights
  };
  for (const auto [reproducible, accumulate, batch_norm] :
       {Case{false, 1, true}, {false, 1, false}, {false, 2, true}, {true, 1, true}}) {
    TrainerOptions options = options_of(1);
    if (batch_norm) {  // otherwise a bucket is updated while others are still on their way
      options.clip_norm = 0.5;
    }
    options.reproducible = reproducible;
    options.accumulate = accumulate;
    for (const int ranks : {2, 3, 4}) {
      memory = Memory::kApart;
      options.reduce = {.overlap = Overlap::kOff};
      const Result apart = train(ranks, options, batch_norm);
      memory = Memory::kShared;
      for (const Overlap overlap : {Overlap::kOff, Overlap::kPoll, Overlap::kThread}) {
        options.reduce = {.bucket_bytes = 1, .overlap = overlap};
        const Result shared = train(ranks, options, batch_norm);
        expect_same(apart, shared, fmt::format("{} ranks, {} slices", ranks, accumulate));
        if (ranks == 2 && !reproducible && accumulate == 1) {
          EXPECT_LT(shared.bytes_sent, apart.bytes_sent) << "no factors were left";
        }
      }
    }
  }
}

}  // namespace
}  // namespace convoy::dist
