// Which run, checkpoint and options --resume finds. That the result then is the same, byte for
// byte, show real processes: resume_test.sh.
#include "launcher/resume.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/base/parallel.h"
#include "core/io/checkpoint.h"
#include "core/io/file.h"
#include "core/optim/sgd.h"
#include "launcher/checkpoint_writer.h"
#include "launcher/resume_options.h"
#include "tests/dist/thread_communicator.h"
#include "tests/launcher/checkpoint_run.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;
using convoy::testing::error_of;
using convoy::testing::expect_error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::small_model;
using testing::small_options;
using testing::state_at;

class ResumeTest : public ::testing::Test {
 protected:
  // A run with checkpoints of steps 10, 20 and 30, whose moments are 10, 20 and 30.
  void SetUp() override {
    const RunDir run_dir({.path = run_});
    io::write_file_atomically(run_dir.config_file(), io::as_bytes(config_text(small_options())));
    CheckpointWriter writer(model_, {.directory = run_dir.checkpoints(), .keep = {.last = 9}});
    for (const std::int64_t step : {10, 20, 30}) {
      writer.write(model_.store->all_values(), state_at(step, model_, static_cast<float>(step)));
    }
  }

  fs::path checkpoint(std::int64_t step) const {
    return io::checkpoint_path(run_ / "checkpoints", step);
  }
  ResumedRun resume(const fs::path& where, std::vector<std::string> arguments = {}) {
    TrainOptions given;
    given.resume = where;
    given.arguments = std::move(arguments);
    ResumedRun run = find_run(given, alone_);
    run.lock = {};  // for the next one of the test
    return run;
  }
  static void damage(const fs::path& checkpoint) {
    fs::resize_file(checkpoint / "model.safetensors", 100);
  }

  convoy::testing::TemporaryDirectory directory_;
  fs::path run_ = directory_.path() / "run";
  TrainedModel model_ = small_model(1);
  dist::LocalCommunicator alone_;
};

TEST_F(ResumeTest, NewestCheckpointIsTaken) {
  const ResumedRun run = resume(run_);
  EXPECT_EQ(run.checkpoint, checkpoint(30));
  EXPECT_EQ(run.directory, run_);
  EXPECT_EQ(run.snapshot.position.step, 30);
  EXPECT_EQ(run.spec.text, model_.spec.text);
  EXPECT_EQ(run.spec.source, model_.spec.source);
  EXPECT_EQ(run.checkpoints.size(), 3U);
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("going on from " + checkpoint(30).string())));
  EXPECT_EQ(resume(run_ / "").directory, run_);
}

TEST_F(ResumeTest, DamagedOnesAreNamedAndSkipped) {
  damage(checkpoint(30));
  std::fstream(checkpoint(20) / "optimizer.safetensors", std::ios::in | std::ios::out).put('x');
  const ResumedRun run = resume(run_);
  EXPECT_EQ(run.checkpoint, checkpoint(10));
  EXPECT_THAT(run.notes,
              ElementsAre(AllOf(HasSubstr("step-00000030 is damaged"),
                                HasSubstr("100 bytes, the manifest says")),
                          AllOf(HasSubstr("step-00000020 is damaged"), HasSubstr("SHA-256")),
                          HasSubstr("going on from")));
  EXPECT_EQ(run.checkpoints.size(), 1U);
}

TEST_F(ResumeTest, RunWithoutAGoodCheckpointIsRefused) {
  for (const std::int64_t step : {10, 20, 30}) {
    damage(checkpoint(step));
  }
  expect_error([&] { resume(run_); }, "no good checkpoint", "step-00000010 is damaged",
               "Start anew");
  fs::remove_all(run_ / "checkpoints");
  expect_error([&] { resume(run_); }, "no good checkpoint");
}

TEST_F(ResumeTest, OneCheckpointCanBeMeant) {
  const ResumedRun run = resume(checkpoint(20));
  EXPECT_EQ(run.snapshot.position.step, 20);
  EXPECT_EQ(run.directory, run_);
  EXPECT_EQ(run.checkpoints.size(), 2U);
  damage(checkpoint(20));
  expect_error([&] { resume(checkpoint(20)); }, "step-00000020 is damaged");
  fs::copy(checkpoint(30), directory_.path() / "alone", fs::copy_options::recursive);
  expect_error([&] { resume(directory_.path() / "alone"); }, "not in a run's directory");
}

TEST_F(ResumeTest, PlacesWithoutARunAreRefused) {
  expect_error([&] { resume(directory_.path() / "none"); }, "there is no such directory");
  expect_error([&] { resume(directory_.path()); }, "neither the directory of a run nor");
  TrainOptions given;
  given.resume = run_;
  given.run_dir = directory_.path() / "other";
  expect_error([&] { find_run(given, alone_); }, "leave out --run-dir");
}

TEST_F(ResumeTest, RunThatIsBeingWrittenIsRefused) {
  const FileDescriptor lock = lock_run(run_);
  expect_error([&] { resume(run_); }, "another process is writing the run");
}

TEST_F(ResumeTest, RunDirMeansTheRunToo) {
  TrainOptions given;
  given.resume = "";
  given.run_dir = run_;
  EXPECT_EQ(find_run(given, alone_).checkpoint, checkpoint(30));
}

TEST_F(ResumeTest, OptionsAreThoseOfTheRunAndTheCommandLineChangesSome) {
  const ResumedRun run = resume(run_, {"--threads", "3", "--epochs", "99", "--quiet"});
  EXPECT_EQ(run.options.threads, 3);
  EXPECT_EQ(run.options.recipe.epochs(), 99);
  EXPECT_TRUE(run.options.quiet);
  EXPECT_EQ(run.options.recipe.lr(), small_options().recipe.lr());
  EXPECT_EQ(run.options.run_dir, run_);
  const std::string refusal = error_of([&] { resume(run_, {"--seed", "4", "--augment"}); });
  EXPECT_THAT(refusal, HasSubstr("seed: the run says '0', now it is '4'"));
  EXPECT_THAT(refusal, HasSubstr("augment: the run says 'false', now it is 'true'"));
}

TEST_F(ResumeTest, ConfigThatWasChangedByHandIsRefused) {
  TrainOptions options = small_options();
  options.recipe.set_lr(7);
  io::write_file_atomically(run_ / "config.json", io::as_bytes(config_text(options)));
  expect_error([&] { resume(run_); }, "lr: the run says '0.001', now it is '7");
}

TEST_F(ResumeTest, EveryRankGetsAllOfItFromRankZero) {
  set_num_threads(1);
  for (const int size : {1, 2, 3}) {
    dist::testing::run_ranks(size, [&](dist::Communicator& communicator) {
      TrainOptions given;
      // The others see other file systems.
      given.resume = communicator.rank() == 0 ? run_ : fs::path("/nowhere");
      given.arguments = {"--threads", "1"};
      ResumedRun run = find_run(given, communicator);
      EXPECT_EQ(run.options.threads, 1);
      EXPECT_EQ(run.options.recipe.ShortDebugString(), small_options().recipe.ShortDebugString());
      EXPECT_EQ(run.spec.text, model_.spec.text);
      const TrainedModel model = small_model(2);
      optim::Adam adam(static_cast<std::int64_t>(model.store->values().size()));
      const dist::Snapshot snapshot = load(run, *model.store, adam, communicator);
      EXPECT_TRUE(std::ranges::equal(model.store->all_values(), model_.store->all_values()));
      EXPECT_EQ(snapshot.position.step, 30);
      ASSERT_EQ(snapshot.optimizer.size(), 2U);
      EXPECT_EQ(snapshot.optimizer[0].name, "exp_avg");
      EXPECT_EQ(snapshot.optimizer[1].values.values().front(), 30.0F);
    });
  }
}

TEST_F(ResumeTest, AnotherOptimizersStateIsRefused) {
  ResumedRun run = resume(run_);
  optim::Sgd sgd(static_cast<std::int64_t>(model_.store->values().size()), {.momentum = 0.9});
  expect_error([&] { load(run, *model_.store, sgd, alone_); }, "missing: 'fc.weight.momentum");
}

TEST_F(ResumeTest, WhatCameLaterIsForgotten) {
  const ResumedRun run = resume(checkpoint(20));
  const RunDir run_dir({.path = run_, .resume = true});
  run_dir.append({.epoch = 1});
  forget_later(run, run_dir);
  EXPECT_EQ(fs::file_size(run_dir.metrics_file()), 0U);
  EXPECT_TRUE(fs::exists(run_ / "checkpoints" / "superseded-step-00000030"));
  EXPECT_EQ(resume(run_).checkpoint, checkpoint(20));
}

// The refusal of going on at step 100 in epoch 3, or "".
std::string refusal(const TrainOptions& began, const TrainOptions& now) {
  try {
    check_resumed_options(began, now, small_model().spec, {.epoch = 2, .batch = 5, .step = 100},
                          "checkpoint");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ResumeOptionsTest, WhatChangesNoResultMayDiffer) {
  TrainOptions now = small_options();
  now.threads = 4;
  now.data.directory = "elsewhere";
  now.keep.last = 7;
  now.checkpoint_every = 3;
  now.json = now.quiet = true;
  EXPECT_EQ(refusal(small_options(), now), "");
}

TEST(ResumeOptionsTest, EverythingElseThatDiffersIsNamed) {
  TrainOptions now = small_options();
  now.recipe.set_lr(0.25);
  now.recipe.set_momentum(0.5);
  now.shuffle = false;
  now.accumulate = 2;
  now.data.raw_pixels = true;
  now.model = "lenet5";
  const std::string text = refusal(small_options(), now);
  for (const char* line :
       {"lr: the run says '0.001', now it is '0.25'", "momentum: the run says 'null', now it is",
        "shuffle: ", "accumulate: ", "raw-pixels: ", "model: the run says 'small'"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("batch-size")));
}

TEST(ResumeOptionsTest, LengthMayChangeButNotToWhatIsPast) {
  TrainOptions began = small_options();
  began.recipe.set_epochs(5);
  TrainOptions now = began;
  const auto with = [&](int epochs, std::optional<std::int64_t> max_steps) {
    now.recipe.set_epochs(epochs);
    now.max_steps = max_steps;
    return refusal(began, now);
  };
  EXPECT_EQ(with(9, std::nullopt), "");
  EXPECT_EQ(with(3, 100), "");
  EXPECT_THAT(with(2, std::nullopt), HasSubstr("at epoch 3, step 100 already, beyond 2 epochs"));
  EXPECT_THAT(with(5, 99), HasSubstr("beyond 5 epochs, at most 99 steps"));
}

TEST(ResumeOptionsTest, LengthMayNotChangeUnderAScheduleThatFollowsIt) {
  for (const auto schedule : {v1::Recipe::COSINE, v1::Recipe::ONE_CYCLE}) {
    TrainOptions began = small_options();
    began.recipe.set_schedule(schedule);
    TrainOptions now = began;
    EXPECT_EQ(refusal(began, now), "");
    now.recipe.set_epochs(began.recipe.epochs() + 1);
    EXPECT_THAT(refusal(began, now), HasSubstr("planned as 15 epochs; for 16 epochs"));
    now = began;
    now.max_steps = 1000;
    EXPECT_THAT(refusal(began, now), HasSubstr("for 15 epochs, at most 1000 steps"));
  }
}

}  // namespace
}  // namespace convoy::launcher
