#include "launcher/checkpoint_writer.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "core/io/checkpoint.h"
#include "core/tensor/buffer_pool.h"
#include "tests/launcher/checkpoint_run.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;
using convoy::testing::expect_error;
using convoy::testing::SmallDisk;
using convoy::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using testing::small_model;
using testing::state_at;

std::vector<std::int64_t> steps_in(const fs::path& directory) {
  std::vector<std::int64_t> steps;
  for (const auto& [step, path] : io::list_checkpoints(directory)) {
    EXPECT_TRUE(io::verify_checkpoint(path).empty()) << path;
    steps.push_back(step);
  }
  return steps;
}

// Waits, for what the training thread would meet in one of its next steps.
void check_until_thrown(CheckpointWriter& writer) {
  for (int i = 0; i < 10'000; ++i) {
    writer.check();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(CheckpointWriterTest, WhatIsWrittenIsWhatWasThereWhenItWasAskedFor) {
  const TemporaryDirectory directory;
  const TrainedModel model = small_model();
  const std::vector<float> before(model.store->all_values().begin(),
                                  model.store->all_values().end());
  CheckpointWriter writer(model, {.directory = directory.path()});
  const RunState state = state_at(7, model);
  writer.write(model.store->all_values(), state);
  // Training goes on at once.
  std::ranges::fill(model.store->all_values(), -1.0F);
  for (optim::Optimizer::State part : state.snapshot.optimizer) {
    part.values.fill(-1.0F);
  }
  writer.wait();
  EXPECT_EQ(writer.newest(), directory.path() / "step-00000007");
  const auto weights = io::read_safetensors(writer.newest() / "model.safetensors");
  std::ranges::copy(before, model.store->all_values().begin());
  EXPECT_EQ(io::serialize_safetensors(weights), io::serialize_safetensors(weights_file(model)));
  const auto moments = io::read_safetensors(writer.newest() / "optimizer.safetensors").tensors;
  ASSERT_EQ(moments.size(), 4U);
  EXPECT_EQ(moments.at("fc.weight.exp_avg").values.values()[77], 0.5F);
  EXPECT_EQ(read_state(writer.newest() / "state.json").snapshot.optimizer_step, 7);
}

TEST(CheckpointWriterTest, TheLastIsWrittenFromWhereItLies) {
  const TemporaryDirectory directory;
  const TrainedModel model = small_model();
  CheckpointWriter writer(model, {.directory = directory.path()});
  RunState state = state_at(7, model);
  state.snapshot.last = true;
  const std::uint64_t reserved = BufferPool::instance().reserved_bytes();
  const Tensor moment = state.snapshot.optimizer[0].values;
  writer.write(model.store->all_values(), std::move(state));
  writer.wait();
  EXPECT_EQ(BufferPool::instance().reserved_bytes(), reserved) << "something was copied";
  const auto weights = io::read_safetensors(writer.newest() / "model.safetensors");
  EXPECT_EQ(io::serialize_safetensors(weights), io::serialize_safetensors(weights_file(model)));
  const auto moments = io::read_safetensors(writer.newest() / "optimizer.safetensors").tensors;
  EXPECT_EQ(moments.at("fc.weight.exp_avg").values.values()[77], moment.values()[77]);
}

TEST(CheckpointWriterTest, OnlyThoseOfTheRetentionStay) {
  const TemporaryDirectory directory;
  const TrainedModel model = small_model();
  CheckpointWriter writer(model, {.directory = directory.path(), .keep = {.last = 2, .best = 1}});
  for (std::int64_t step = 1; step <= 6; ++step) {
    RunState state = state_at(step, model);
    if (step == 2) {  // after an epoch
      state.snapshot.position = {.epoch = 1, .batch = 0, .step = 2};
      state.epochs = {{.epoch = 1, .test_accuracy = 0.9}};
    }
    writer.write(model.store->all_values(), std::move(state));
  }
  writer.wait();
  EXPECT_THAT(steps_in(directory.path()), ElementsAre(2, 5, 6));
}

TEST(CheckpointWriterTest, ThoseThatWereThereAreDeletedInTurnAndStrangersAreNot) {
  const TemporaryDirectory directory;
  const TrainedModel model = small_model();
  {
    CheckpointWriter earlier(model, {.directory = directory.path(), .keep = {.last = 9}});
    for (const std::int64_t step : {1, 2, 3}) {
      earlier.write(model.store->all_values(), state_at(step, model));
    }
  }
  CheckpointWriter writer(model, {.directory = directory.path(),
                                  .keep = {.last = 2, .best = 0},
                                  .there = {{.step = 2}, {.step = 3}}});
  writer.write(model.store->all_values(), state_at(4, model));
  writer.wait();
  EXPECT_THAT(steps_in(directory.path()), ElementsAre(1, 3, 4));
}

TEST(CheckpointWriterTest, StepWrittenAgainCountsOnce) {
  const TemporaryDirectory directory;
  const TrainedModel model = small_model();
  CheckpointWriter writer(model, {.directory = directory.path(), .keep = {.last = 2, .best = 0}});
  for (const std::int64_t step : {1, 2, 2}) {
    writer.write(model.store->all_values(), state_at(step, model));
  }
  writer.wait();
  EXPECT_THAT(steps_in(directory.path()), ElementsAre(1, 2));
}

TEST(CheckpointWriterTest, FullDiskIsThrownOnceAndTheOlderCheckpointStays) {
  const SmallDisk disk("160k");
  if (!disk.available()) {
    GTEST_SKIP() << "mounting a small file system is not allowed here";
  }
  const TrainedModel model = small_model();
  CheckpointWriter writer(model, {.directory = disk.path(), .keep = {.last = 1, .best = 0}});
  writer.write(model.store->all_values(), state_at(1, model));
  writer.wait();
  writer.write(model.store->all_values(), state_at(2, model));
  expect_error([&] { check_until_thrown(writer); }, "No space left on device");
  EXPECT_NO_THROW(writer.check());
  EXPECT_THAT(steps_in(disk.path()), ElementsAre(1));
  EXPECT_EQ(writer.newest(), disk.path() / "step-00000001");
}

TEST(CheckpointWriterTest, ErrorIsThrownByTheNextWriteToo) {
  const TemporaryDirectory directory;
  const TrainedModel model = small_model();
  std::ofstream(directory.path() / "file") << "in the way";
  CheckpointWriter writer(model, {.directory = directory.path() / "file"});
  writer.write(model.store->all_values(), state_at(1, model));
  expect_error([&] { writer.write(model.store->all_values(), state_at(2, model)); },
               "cannot create directory");
  writer.write(model.store->all_values(), state_at(3, model));
  expect_error([&] { writer.wait(); }, "cannot create directory");
  EXPECT_EQ(writer.newest(), "");
}

}  // namespace
}  // namespace convoy::launcher
