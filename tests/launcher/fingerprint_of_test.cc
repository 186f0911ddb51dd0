#include "launcher/fingerprint_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/data/synthetic.h"
#include "launcher/recipe.h"

namespace convoy::launcher {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// What a rank has when it is about to train.
struct Rank {
  TrainOptions options = {};
  std::string model_text = std::string(load_model("lenet5").text);
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(2 * 28 * 28);
  std::vector<std::uint8_t> labels = {3, 8};

  dist::Fingerprint fingerprint() const {
    ModelSpec spec = parse_model(model_text, "net.textproto");
    TrainOptions resolved = options;
    resolved.recipe = resolve_recipe(spec.model.recipe(), options.recipe, options.augment);
    const data::Dataset train({.name = "train",
                               .height = 28,
                               .width = 28,
                               .pixels = pixels,
                               .labels = labels,
                               .class_names = std::vector<std::string>(10, "digit")});
    const data::Dataset test = data::draw_synthetic({.split = data::Split::kTest, .size = 3});
    const TrainedModel model = make_model(std::move(spec), "mnist", train, 32, options.seed);
    return fingerprint_of(resolved, model, train, test);
  }
};

// The points in which a rank after `change` differs from one without.
std::vector<std::string> changed_by(const std::function<void(Rank&)>& change) {
  Rank rank;
  const dist::Fingerprint before = rank.fingerprint();
  change(rank);
  const dist::Fingerprint after = rank.fingerprint();
  std::vector<std::string> names;
  for (const auto& [name, value] : after.points()) {
    const std::string* old = before.find(name);
    if (old == nullptr || *old != value) {
      names.push_back(name);
    }
  }
  return names;
}

TEST(FingerprintOfTest, TheDataDigestIsThatOfEveryPixelLabelAndSplit) {
  const auto dataset = [](std::uint8_t pixel, std::uint8_t label) {
    return data::Dataset({.name = "x",
                          .height = 1,
                          .width = 1,
                          .pixels = {pixel},
                          .labels = {label},
                          .class_names = std::vector<std::string>(10, "digit")});
  };
  const data::Dataset some = dataset(1, 2);
  const std::string digest = data_digest(some, some);
  EXPECT_EQ(digest.size(), 16U);
  EXPECT_EQ(digest, data_digest(dataset(1, 2), dataset(1, 2)));
  EXPECT_NE(digest, data_digest(dataset(0, 2), some));
  EXPECT_NE(digest, data_digest(dataset(1, 3), some));
  EXPECT_NE(digest, data_digest(some, dataset(0, 2)));
  EXPECT_NE(data_digest(dataset(0, 2), some), data_digest(some, dataset(0, 2)));
}

TEST(FingerprintOfTest, OptionsCountOneByOne) {
  EXPECT_THAT(changed_by([](Rank& rank) { rank.options.seed = 1; }),
              ElementsAre("first weights", "seed"));
  EXPECT_THAT(changed_by([](Rank& rank) { rank.options.recipe.set_batch_size(64); }),
              ElementsAre("recipe.batch_size"));
  // Hosts with AMX round sums otherwise than those with AVX512-BF16 alone.
  EXPECT_THAT(changed_by([](Rank& rank) { rank.options.recipe.set_precision(v1::Recipe::BF16); }),
              UnorderedElementsAre("recipe.precision", "bf16 products"));
  EXPECT_THAT(changed_by([](Rank& rank) { rank.options.recipe.set_lr(0.1 + 1e-15); }),
              ElementsAre("recipe.lr"));
  EXPECT_THAT(changed_by([](Rank& rank) { rank.options.accumulate = 2; }),
              ElementsAre("accumulate"));
  EXPECT_THAT(changed_by([](Rank& rank) { rank.options.max_steps = 3; }), ElementsAre("max_steps"));
  EXPECT_THAT(changed_by([](Rank& rank) { rank.options.shuffle = false; }), ElementsAre("shuffle"));
}

TEST(FingerprintOfTest, WhatDecidesWhichMessagesAreSentCounts) {
  EXPECT_THAT(changed_by([](Rank& rank) {
                rank.options.distributed.shard_optimizer = true;
                rank.options.distributed.reproducible = true;
                rank.options.distributed.check_every = 7;
                rank.options.distributed.reduce = {
                    .bucket_bytes = 1024, .overlap = dist::Overlap::kPoll, .bf16 = true};
              }),
              UnorderedElementsAre("shard_optimizer", "reproducible", "check_every", "bucket_bytes",
                                   "overlap", "bf16_gradients"));
}

TEST(FingerprintOfTest, WhatMachinesMaySetTheirOwnWayDoesNotCount) {
  EXPECT_THAT(changed_by([](Rank& rank) {
                rank.options.threads = 3;
                rank.options.data.directory = "/scratch/node7";
                rank.options.model = "/home/me/net.textproto";
                rank.options.init_from = "/scratch/node7/model.safetensors";
                rank.options.distributed.timeout = std::chrono::seconds(7);
                rank.options.quiet = true;
              }),
              IsEmpty());
}

TEST(FingerprintOfTest, EveryByteOfModelAndDataCounts) {
  EXPECT_THAT(changed_by([](Rank& rank) { rank.model_text += "# a comment\n"; }),
              ElementsAre("model text"));
  EXPECT_THAT(changed_by([](Rank& rank) { rank.pixels.back() = 1; }), ElementsAre("train pixels"));
  EXPECT_THAT(changed_by([](Rank& rank) { rank.labels = {8, 3}; }), ElementsAre("train labels"));
  EXPECT_THAT(changed_by([](Rank& rank) {
                rank.pixels.resize(3 * 28 * 28);
                rank.labels.push_back(1);
              }),
              ElementsAre("train images", "train pixels", "train labels"));
}

TEST(FingerprintOfTest, TheProgramKnowsItself) {
  const dist::Fingerprint program = fingerprint_of_program({});
  for (const char* name : {"convoy", "program", "C library", "arithmetic", "resume"}) {
    ASSERT_NE(program.find(name), nullptr) << name;
    EXPECT_FALSE(program.find(name)->empty()) << name;
  }
  EXPECT_EQ(program.find("program")->size(), 16U);
}

}  // namespace
}  // namespace convoy::launcher
