#include "dist/snapshot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/base/parallel.h"
#include "tests/dist/thread_communicator.h"
#include "tests/dist/training_run.h"
#include "tests/support/expect_error.h"

namespace convoy::dist {
namespace {

using convoy::testing::expect_error;
using testing::run_ranks;
using testing::TrainingRun;

Snapshot some_snapshot() {
  return {.position = {.epoch = 2, .batch = 5, .step = 31},
          .train = {.images = 80, .correct = 61, .loss_sum = 0.1},
          .seen = {.count = 80, .sum = ~std::uint64_t{0}, .combined = 7},
          .optimizer_step = 30,
          .optimizer = {{"exp_avg", Tensor::full({48}, 0.25F)}, {"none", Tensor::zeros({0})}}};
}

void expect_equal(const Snapshot& a, const Snapshot& b) {
  EXPECT_EQ(a.position.epoch, b.position.epoch);
  EXPECT_EQ(a.position.batch, b.position.batch);
  EXPECT_EQ(a.position.step, b.position.step);
  EXPECT_EQ(a.train.images, b.train.images);
  EXPECT_EQ(a.train.correct, b.train.correct);
  EXPECT_EQ(a.train.loss_sum, b.train.loss_sum);
  EXPECT_EQ(a.seen, b.seen);
  EXPECT_EQ(a.optimizer_step, b.optimizer_step);
  ASSERT_EQ(a.optimizer.size(), b.optimizer.size());
  for (std::size_t i = 0; i < a.optimizer.size(); ++i) {
    EXPECT_EQ(a.optimizer[i].name, b.optimizer[i].name);
    EXPECT_EQ(a.optimizer[i].values.shape(), b.optimizer[i].values.shape());
    EXPECT_TRUE(std::ranges::equal(a.optimizer[i].values.values(), b.optimizer[i].values.values()));
  }
}

TEST(SnapshotTest, BytesGiveItBack) {
  expect_equal(snapshot_of(snapshot_bytes(some_snapshot())), some_snapshot());
  expect_equal(snapshot_of(snapshot_bytes({})), {});
}

TEST(SnapshotTest, BytesThatAreNotWholeAreRefused) {
  const std::vector<std::byte> bytes = snapshot_bytes(some_snapshot());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    expect_error([&] { snapshot_of(std::span(bytes).first(size)); }, "cut short");
  }
  std::vector<std::byte> longer = bytes;
  longer.push_back({});
  expect_error([&] { snapshot_of(longer); }, "left over");
  // A length that would wrap around when it is multiplied.
  std::vector<std::byte> huge = bytes;
  const std::size_t length_at = snapshot_bytes({}).size() + sizeof(std::uint64_t);
  std::fill_n(huge.begin() + static_cast<std::ptrdiff_t>(length_at), 8, std::byte{0xff});
  expect_error([&] { snapshot_of(huge); }, "cut short");
}

TEST(SnapshotTest, RankZerosReachesEveryRank) {
  set_num_threads(1);
  for (const int size : {1, 2, 3, 5}) {
    run_ranks(size, [](Communicator& communicator) {
      const bool root = communicator.rank() == 0;
      Snapshot snapshot = root ? some_snapshot() : Snapshot();
      std::vector<float> weights(100, root ? 1.5F : 0.0F);
      broadcast_snapshot(communicator, snapshot, weights);
      expect_equal(snapshot, some_snapshot());
      EXPECT_EQ(weights, std::vector<float>(100, 1.5F));
    });
  }
}

// Keeps what on_checkpoint gives at one step, copied as a file would be.
struct Keeper : Observer {
  explicit Keeper(std::int64_t at, const ParameterStore& weights) : step(at), store(weights) {}
  void on_checkpoint(const Snapshot& snapshot) override {
    if (snapshot.position.step == step) {
      bytes = snapshot_bytes(snapshot);
      all_values.assign(store.all_values().begin(), store.all_values().end());
    }
  }
  std::int64_t step;
  const ParameterStore& store;
  std::vector<std::byte> bytes;
  std::vector<float> all_values;
};

TEST(SnapshotTest, OneRankGoesOnFromItToTheSameBits) {
  set_num_threads(1);
  const TrainerOptions options = {
      .epochs = 2, .batch_size = 16, .augment = {.shift = 2}, .checkpoint_every = 1};
  for (const std::int64_t step : {1, 7, 12, 13, 14, 25}) {
    TrainingRun straight(options);
    Keeper keeper(step, straight.store);
    straight.trainer.run(keeper);
    ASSERT_FALSE(keeper.bytes.empty()) << step;
    TrainingRun resumed(options);
    std::ranges::copy(keeper.all_values, resumed.store.all_values().begin());
    resumed.trainer.restore(snapshot_of(keeper.bytes));
    Observer nobody;
    resumed.trainer.run(nobody);
    EXPECT_EQ(straight.weights(), resumed.weights()) << step;
  }
}

}  // namespace
}  // namespace convoy::dist
