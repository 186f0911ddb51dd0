// What observers are told of each step: every rank's own counts, which add up exactly to the whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <thread>

#include "core/base/parallel.h"
#include "tests/dist/thread_communicator.h"
#include "tests/dist/training_run.h"

namespace convoy::dist {
namespace {

using testing::run_ranks;
using testing::TrainingRun;

// Checks every step against the one before.
struct Auditor : Observer {
  explicit Auditor(const Communicator& communicator) : communicator(communicator) {}

  void on_epoch_begin(std::int64_t, std::int64_t) override { before = {}; }
  void on_step(const StepResult& step) override {
    ++steps;
    const auto ranks = static_cast<std::size_t>(communicator.size());
    ASSERT_EQ(step.ranks.size(), ranks);
    const StepReport sum = std::accumulate(step.ranks.begin(), step.ranks.end(), StepReport());
    EXPECT_EQ(sum.images, step.so_far.images - before.images);
    EXPECT_EQ(sum.correct, step.so_far.correct - before.correct);
    EXPECT_EQ(before.loss_sum + sum.loss_sum, step.so_far.loss_sum);  // not nearly: exactly
    const StepReport& own = step.ranks[static_cast<std::size_t>(communicator.rank())];
    EXPECT_EQ(own.computing_ns + own.waiting_ns, duration_before.count());
    EXPECT_GE(own.computing_ns, 0);
    EXPECT_GE(own.waiting_ns, 0);
    EXPECT_EQ(step.learning_rate, 0.01);
    before = step.so_far;
    duration_before = step.duration;
    images.assign(ranks, 0);
    std::ranges::transform(step.ranks, images.begin(), &StepReport::images);
    all_images.push_back(images);
  }

  const Communicator& communicator;
  Metrics before;
  std::chrono::nanoseconds duration_before{0};
  std::int64_t steps = 0;
  std::vector<std::int64_t> images;                   // by rank, of the last step
  std::vector<std::vector<std::int64_t>> all_images;  // by step
};

void audit(int ranks, const TrainerOptions& options) {
  std::mutex mutex;
  std::vector<std::vector<std::vector<std::int64_t>>> told;
  run_ranks(ranks, [&](Communicator& communicator) {
    TrainingRun run(communicator, options);
    Auditor auditor(communicator);
    run.trainer.run(auditor);
    EXPECT_EQ(auditor.steps, 14);
    const std::lock_guard lock(mutex);
    told.push_back(auditor.all_images);
  });
  for (const auto& images : told) {
    EXPECT_EQ(images, told.front()) << "ranks are told differently";
  }
  // 203 images in batches of 32: of the tail of 11, too, every rank has about the same.
  for (const std::vector<std::int64_t>& images : told.front()) {
    EXPECT_LE(std::ranges::max(images) - std::ranges::min(images),
              options.reproducible ? options.micro_shards : options.accumulate);
  }
}

class StepResultTest : public ::testing::Test {
 protected:
  void SetUp() override { set_num_threads(1); }
};

TEST_F(StepResultTest, ReportsOfRanksAddUpExactlyInEveryMode) {
  for (const int ranks : {1, 2, 3, 4, 5, 8}) {
    SCOPED_TRACE(ranks);
    TrainerOptions options = {.epochs = 2, .batch_size = 32};
    audit(ranks, options);
    options.shard_optimizer = true;
    audit(ranks, options);
    options.reproducible = true;
    audit(ranks, options);
    options = {.epochs = 2, .batch_size = 16, .accumulate = 2};
    for (const Overlap overlap : {Overlap::kOff, Overlap::kPoll, Overlap::kThread}) {
      options.reduce = {.bucket_bytes = 1, .overlap = overlap};
      audit(ranks, options);
    }
  }
}

TEST_F(StepResultTest, AStepThatIsLeftOutCountsOnNoRank) {
  run_ranks(3, [&](Communicator& communicator) {
    TrainingRun run(communicator, {.epochs = 1, .batch_size = 32, .on_nan = OnNan::kSkip});
    struct Poisoner : Auditor {
      using Auditor::Auditor;
      void on_step(const StepResult& step) override {
        Auditor::on_step(step);
        if (step.position.step == 2 && bias != nullptr) {
          bias->value().data()[0] = NAN;
        }
        left_out += std::ranges::count(images, 0) == 3 ? 1 : 0;
      }
      void on_note(const std::string&) override {
        if (bias != nullptr) {
          bias->value().data()[0] = 0.0F;
        }
      }
      Parameter* bias = nullptr;
      int left_out = 0;
    } poisoner(communicator);
    poisoner.bias = communicator.rank() == 1 ? run.store.find("fc.bias") : nullptr;
    run.trainer.run(poisoner);
    EXPECT_EQ(poisoner.left_out, 1);
    EXPECT_EQ(poisoner.before.images, 203 - 32);
  });
}

TEST_F(StepResultTest, ARankThatIsAwaitedForLongIsKnownToOtherThreads) {
  run_ranks(2, [&](Communicator& communicator) {
    TrainingRun run(communicator, {.epochs = 1, .batch_size = 32, .max_steps = 3});
    EXPECT_EQ(run.trainer.awaited(), -1);
    struct Sleeper : Observer {
      void on_step(const StepResult& step) override {
        if (sleeps && step.position.step == 1) {
          std::this_thread::sleep_for(Communicator::kLongWait + std::chrono::milliseconds(500));
        }
      }
      bool sleeps = false;
    } sleeper;
    sleeper.sleeps = communicator.rank() == 1;
    std::atomic<bool> over = false;
    int seen = -1;
    std::thread watcher([&] {
      while (!over) {
        seen = std::max(seen, run.trainer.awaited());
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
    run.trainer.run(sleeper);
    over = true;
    watcher.join();
    EXPECT_EQ(seen, communicator.rank() == 0 ? 1 : -1);
    EXPECT_EQ(run.trainer.awaited(), -1);
  });
}

}  // namespace
}  // namespace convoy::dist
