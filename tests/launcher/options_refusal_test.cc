#include "launcher/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/launcher/command_line.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::parse_as;
using testing::refusal;
using testing::refusal_of_train;
using ::testing::StartsWith;

TEST(OptionsRefusalTest, UnknownCommandGetsTheNearestName) {
  EXPECT_THAT(refusal({"trian"}), StartsWith("unknown command 'trian' (did you mean 'train'?)"));
  EXPECT_THAT(refusal({"frobnicate"}), Not(HasSubstr("did you mean")));
}

TEST(OptionsRefusalTest, MissingCommandIsNamed) {
  EXPECT_THAT(refusal({}),
              HasSubstr("one of train, evaluate, predict, status, stop, coordinator, export"));
  EXPECT_THAT(refusal({"--epochs", "5"}), HasSubstr("write convoy train --epochs"));
}

TEST(OptionsRefusalTest, UnknownOptionGetsTheNearestName) {
  EXPECT_THAT(refusal_of_train({"--epcohs", "5"}),
              StartsWith("unknown option '--epcohs' (did you mean '--epochs'?)"));
  EXPECT_THAT(refusal_of_train({"--batchsize=5"}),
              StartsWith("unknown option '--batchsize' (did you mean '--batch-size'?)"));
  EXPECT_THAT(refusal_of_train({"-epochs", "5"}),
              StartsWith("unknown option '-epochs' (did you mean '--epochs'?)"));
  EXPECT_THAT(refusal({"evaluate", "run", "--lr", "1"}), StartsWith("unknown option '--lr'"));
  EXPECT_THAT(refusal({"evaluate", "--jsno"}), StartsWith("unknown option '--jsno'"));
}

TEST(OptionsRefusalTest, UnknownWordGetsTheNearestOne) {
  EXPECT_EQ(refusal_of_train({"--dataset", "minst"}),
            "--dataset 'minst': must be one of mnist, fashion-mnist, synthetic (did you mean "
            "'mnist'?)");
  EXPECT_EQ(refusal_of_train({"--optimizer", "adamm"}),
            "--optimizer 'adamm': must be one of adam, adamw, sgd (did you mean 'adam'?)");
  EXPECT_THAT(refusal_of_train({"--schedule", "onecycle"}), HasSubstr("did you mean 'one_cycle'"));
}

TEST(OptionsRefusalTest, NumberOutOfRangeIsNamedWithTheRange) {
  EXPECT_EQ(refusal_of_train({"--epochs", "0"}),
            "--epochs '0': must be a whole number, 1 to 1000000");
  EXPECT_EQ(refusal_of_train({"--lr", "-1"}), "--lr '-1': must be a number, 0 to 1000");
  EXPECT_EQ(refusal_of_train({"--momentum", "1"}),
            "--momentum '1': must be a number, at least 0 and below 1");
  EXPECT_THAT(refusal_of_train({"--accumulate", "0"}), HasSubstr("1 to 1048576"));
  EXPECT_THAT(refusal_of_train({"--threads", "4097"}), HasSubstr("1 to 4096"));
  EXPECT_THAT(refusal_of_train({"--seed", "-1"}), StartsWith("--seed '-1': "));
  EXPECT_THAT(refusal_of_train({"--max-steps", "0"}), StartsWith("--max-steps '0': "));
  EXPECT_THAT(refusal({"predict", "run", "--count", "1001"}), HasSubstr("1 to 1000"));
}

TEST(OptionsRefusalTest, TextThatIsNoNumberIsNamed) {
  for (const char* text : {"five", "1.5", "1e3", "5x", " 5", "+5", "99999999999999999999"}) {
    EXPECT_THAT(refusal_of_train({std::string("--epochs=") + text}),
                StartsWith(std::string("--epochs '") + text + "': must be a whole number"));
  }
  for (const char* text : {"x", "nan", "inf", "0.1.2", "1e999"}) {
    EXPECT_THAT(refusal_of_train({std::string("--lr=") + text}),
                StartsWith(std::string("--lr '") + text + "': must be a number"));
  }
}

TEST(OptionsRefusalTest, StepSizeWithoutUpperBoundStaysWithinItsType) {
  EXPECT_EQ(parse_as<TrainOptions>({"train", "--step-size", "2147483647"}).recipe.step_size(),
            std::numeric_limits<std::int32_t>::max());
  EXPECT_THAT(refusal_of_train({"--step-size", "2147483648"}), HasSubstr("1 to 2147483647"));
}

TEST(OptionsRefusalTest, MissingValueIsAskedFor) {
  EXPECT_EQ(refusal_of_train({"--epochs"}), "--epochs needs a value: --epochs N");
  EXPECT_EQ(refusal_of_train({"--data", "--json"}), "--data needs a value: --data DIR");
  EXPECT_EQ(refusal_of_train({"--run-dir", ""}), "--run-dir needs a value: --run-dir DIR");
  EXPECT_EQ(refusal_of_train({"--model="}), "--model needs a value: --model NAME|FILE");
}

TEST(OptionsRefusalTest, SwitchTakesOnlyTrueOrFalse) {
  EXPECT_TRUE(parse_as<TrainOptions>({"train", "--json=true"}).json);
  EXPECT_FALSE(parse_as<TrainOptions>({"train", "--json=false"}).json);
  EXPECT_TRUE(parse_as<TrainOptions>({"train", "--no-shuffle=false"}).shuffle);
  EXPECT_EQ(refusal_of_train({"--json=maybe"}), "--json 'maybe': must be true or false");
}

TEST(OptionsRefusalTest, StrayAndMissingArgumentsAreNamed) {
  EXPECT_THAT(refusal_of_train({"mnist"}), HasSubstr("mnist"));
  EXPECT_THAT(refusal({"evaluate"}), HasSubstr("CHECKPOINT"));
  EXPECT_THAT(refusal({"evaluate", "one", "two"}), HasSubstr("two"));
}

TEST(OptionsRefusalTest, PredictWritesOnlyPngOrSvg) {
  EXPECT_EQ(refusal({"predict", "run", "--output", "a.jpg"}),
            "--output 'a.jpg': must end in .png or .svg");
}

}  // namespace
}  // namespace convoy::launcher
