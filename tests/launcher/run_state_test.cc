#include "launcher/run_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "launcher/json.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

using testing::expect_error;

RunState some_state() {
  return {.snapshot = {.position = {.epoch = 2, .batch = 31, .step = 657},
                       .train = {.images = 992, .correct = 941, .loss_sum = 1.0 / 3},
                       .seen = {.count = 992,
                                .sum = std::numeric_limits<std::uint64_t>::max(),
                                .combined = std::uint64_t{1} << 63},
                       .optimizer_step = 655},
          .epochs = {{.epoch = 1, .train_loss = 0.1, .seconds = std::chrono::duration<double>(0.3)},
                     {.epoch = 2, .test_loss = 0.1 + 0.2, .test_accuracy = 0.75}},
          .data = "0123456789abcdef",
          .config = R"({"seed":3,"recipe":{"augment":{"shift":2.5}}})",
          .convoy = "1.2.3"};
}

TEST(RunStateTest, ComesBackWithEveryBit) {
  const RunState state = some_state();
  const RunState read = parse_state(state_text(state), "state.json");
  EXPECT_EQ(read.snapshot.position.epoch, 2);
  EXPECT_EQ(read.snapshot.position.batch, 31);
  EXPECT_EQ(read.snapshot.position.step, 657);
  EXPECT_EQ(read.snapshot.train.images, 992);
  EXPECT_EQ(read.snapshot.train.correct, 941);
  EXPECT_EQ(read.snapshot.train.loss_sum, 1.0 / 3);
  EXPECT_EQ(read.snapshot.seen, state.snapshot.seen);
  EXPECT_EQ(read.snapshot.optimizer_step, 655);
  ASSERT_EQ(read.epochs.size(), 2U);
  EXPECT_EQ(read.epochs[0].seconds.count(), 0.3);
  EXPECT_EQ(read.epochs[1].test_loss, 0.1 + 0.2);
  EXPECT_TRUE(std::isnan(read.epochs[0].test_loss));
  EXPECT_EQ(read.data, "0123456789abcdef");
  EXPECT_EQ(read.config, state.config);
  EXPECT_EQ(read.convoy, "1.2.3");
  EXPECT_EQ(state_text(read), state_text(state));
}

TEST(RunStateTest, OlderOnesDoNotSayWhichDataItWas) {
  std::string text = state_text(some_state());
  const std::string line = "\"data\": \"0123456789abcdef\",";
  text.erase(text.find(line), line.size());
  EXPECT_EQ(parse_state(text, "s").data, "");
}

TEST(RunStateTest, LossThatIsNoNumberStaysNone) {
  RunState state = some_state();
  state.snapshot.train.loss_sum = INFINITY;
  EXPECT_TRUE(std::isnan(parse_state(state_text(state), "s").snapshot.train.loss_sum));
}

TEST(RunStateTest, AnythingElseIsRefusedWithTheFilesName) {
  const std::string good = state_text(some_state());
  const auto refuse = [](const std::string& text, const std::string& part) {
    expect_error([&] { parse_state(text, "run/state.json"); },
                 "run/state.json: not the state of a run: ", part);
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    EXPECT_NE(text.find(from), text.npos) << from;
    return text.replace(text.find(from), from.size(), to);
  };
  refuse("", "parse error");
  refuse(good.substr(0, good.size() / 2), "parse error");
  refuse("[]", "its format is not");
  refuse("{\"epoch\": 1}", "an older convoy");
  refuse(std::string(100'000, '[') + std::string(100'000, ']'), "its format");
  refuse(changed("\"version\": 1", "\"version\": 2"), "its version is not 1");
  refuse(changed("\"step\": 657", "\"stop\": 657"), "step");
  refuse(changed("\"step\": 657", "\"step\": -657"), "step must be a whole number");
  refuse(changed("\"step\": 657", "\"step\": 1e300"), "step must be a whole number");
  refuse(changed("\"step\": 657", "\"step\": 18446744073709551615"), "step must be");
  refuse(changed("\"batch\": 31", "\"batch\": 31.5"), "batch must be a whole number");
  refuse(changed("\"batch\": 31", "\"batch\": 658"), "batch 658 of step 657");
  refuse(changed("\"correct\": 941", "\"correct\": 993"), "993 of 992 images");
  refuse(changed("\"18446744073709551615\"", "\"18446744073709551616\""), "sum is no 64-bit");
  refuse(changed("\"18446744073709551615\"", "\"12 \""), "sum is no 64-bit number");
  refuse(changed("\"18446744073709551615\"", "12"), "type must be string");
  refuse(changed("\"epoch\": 2", "\"epoch\": 4"), "4 finished epochs, but metrics of 2");
  refuse(changed("\"epoch\": 2", "\"epoch\": 0"), "0 finished epochs, but metrics of 2");
  refuse(changed("\"0123456789abcdef\"", "7"), "type must be string");
  refuse(changed("\"epoch\": 1", "\"epoch\": 3"), "epoch 3 stands at place 1");
  refuse(changed("\"images\": 992", "\"images\": null"), "images must be a whole number");
}

TEST(RunStateTest, FileThatCannotBeReadIsRefused) {
  const testing::TemporaryDirectory directory;
  const auto file = directory.path() / "state.json";
  expect_error([&] { read_state(file); }, "state.json", "No such file");
  std::ofstream(file) << state_text(some_state());
  EXPECT_EQ(read_state(file).snapshot.position.step, 657);
  std::filesystem::resize_file(file, std::uintmax_t{1} << 40);  // sparse
  expect_error([&] { read_state(file); }, "too many");
}

TEST(RunStateTest, ScoreIsThatOfTheEpochItWasTakenAfter) {
  RunState state = some_state();
  EXPECT_FALSE(kept_checkpoint(state).score);
  EXPECT_EQ(kept_checkpoint(state).step, 657);
  state.snapshot.position.batch = 0;
  EXPECT_EQ(kept_checkpoint(state).score.value().accuracy, 0.75);
  // --max-steps ended it within the second epoch.
  state.snapshot.position = {.epoch = 1, .batch = 31, .step = 657};
  EXPECT_EQ(kept_checkpoint(state).score.value().loss, 0.1 + 0.2);
  state = {};
  EXPECT_FALSE(kept_checkpoint(state).score);
}

}  // namespace
}  // namespace convoy::launcher
