// Gradients of Linear weights: left as factors or not, by ranks or by micro-shards, the sum has the
// bits of the shards' gradients added up.
#include "dist/factored_gradients.h"

#include <gtest/gtest.h>

#include "core/base/parallel.h"
#include "core/nn/linear.h"
#include "dist/collectives.h"
#include "dist/gradient_reducer.h"
#include "tests/dist/thread_communicator.h"
#include "tests/support/layer_run.h"

namespace convoy::dist {
namespace {

using convoy::testing::random_tensor;

constexpr std::int64_t kSize = 150;  // rows of which do not end where chunks of the partition do
constexpr std::int64_t kMostImages = 5;

// Linears between two other parameters.
struct Model {
  // Gradients for so many images; the first Linear is used as often as that.
  void backward(Tape& tape, std::int64_t images, int uses, std::uint64_t seed) {
    store.zero_grad();
    for (Parameter* parameter : {&before, &after}) {
      std::ranges::copy(random_tensor(parameter->shape(), seed).values(), parameter->grad().data());
    }
    Variable y = tape.watch(random_tensor({images, kSize}, seed + 1));
    for (int i = 0; i < uses; ++i) {
      y = linear.forward(tape, y);
    }
    tape.backward(second.forward(tape, y), random_tensor({images, kSize}, seed + 2));
  }

  Parameter before{{.shape = {5000}}};
  nn::Linear linear{{.in_features = kSize, .out_features = kSize}};
  nn::Linear second{{.in_features = kSize, .out_features = kSize}};
  Parameter after{{.shape = {70}}};
  ParameterStore store{{{"a", &before},
                        {"b", &linear.weight()},
                        {"c", &linear.bias()},
                        {"d", &second.weight()},
                        {"e", &second.bias()},
                        {"f", &after}},
                       0};
};

// What else a rank needs to add up gradients.
struct Sum {
  Sum(Communicator& communicator, ParameterStore& store, int shards, std::int64_t bucket_bytes)
      : partition(static_cast<std::int64_t>(store.values().size()), communicator.size(),
                  bucket_bytes),
        tree(shards, communicator.size()),
        parts{.communicator = communicator, .partition = partition, .tree = tree},
        shared(communicator.shares_memory() ? std::make_unique<SharedStore>(store, parts)
                                            : nullptr),
        factored(store, parts, {.images = kMostImages, .shared = shared != nullptr}),
        reducer(store, communicator, partition, tree,
                {.keep_own = true, .shared = shared.get(), .factored = &factored}) {}

  Partition partition;
  ShardTree tree;
  BucketExchange::Parts parts;
  std::unique_ptr<SharedStore> shared;
  FactoredGradients factored;
  GradientReducer reducer;
};

struct Case {
  int shard;
  std::int64_t images;
  int uses;
};
// Of one shard in each step; the others leave factors for all images that there can be.
constexpr Case kCases[] = {{1, kMostImages, 1}, {1, 1, 1}, {1, 0, 1}, {1, 3, 2}, {0, 3, 2}};

Case case_of(int shard, int step) {
  return shard == kCases[step].shard
             ? kCases[step]
             : Case{.shard = shard, .images = kMostImages - shard % 2, .uses = 1};
}
std::uint64_t seed_of(int shard, int step) {
  return 100 * static_cast<std::uint64_t>(step) + 10 * static_cast<std::uint64_t>(shard);
}

// Of all shards, each made as a whole.
std::vector<float> wanted_sum(int shards, int step) {
  std::vector<std::vector<float>> all;
  std::vector<const float*> operands;
  for (int shard = 0; shard < shards; ++shard) {
    Model model;
    Tape tape;
    const Case at_hand = case_of(shard, step);
    model.backward(tape, at_hand.images, at_hand.uses, seed_of(shard, step));
    all.emplace_back(model.store.gradients().begin(), model.store.gradients().end());
    operands.push_back(all.back().data());
  }
  std::vector<float> sum(all.front().size());
  ShardTree(shards, shards).add_up(operands, sum);
  return sum;
}

// A rank, step by step.
class Rank {
 public:
  Rank(Communicator& communicator, int shards, std::int64_t bucket_bytes)
      : rank_(communicator.rank()), sum_(communicator, model_.store, shards, bucket_bytes) {
    tape_.set_factor_memory([&](const Parameter& parameter) {
      const std::span<float> memory = sum_.factored.memory(parameter);
      left_ += memory.empty() ? 0 : 1;
      return memory;
    });
  }

  // How many gradients were left as factors.
  int left() const { return left_; }

  // How many elements of this rank's chunks are not as they should be.
  std::int64_t wrong_after(int step) {
    left_ = 0;
    sum_.factored.begin_step();
    std::vector<std::vector<float>> sums;
    for (const Range node : sum_.tree.partials_of(rank_)) {
      sums.push_back(sum_of(node, step));
      sum_.factored.end_partial(sums.back());
    }
    const std::vector<std::span<const float>> partials(sums.begin(), sums.end());
    sum_.reducer.begin_step(step, {}, partials);
    sum_.reducer.finish();
    // Alone, the partial sum is the sum.
    const std::span<const float> got =
        sum_.partition.ranks() == 1 ? partials.front() : model_.store.gradient_memory().values();
    const std::vector<float> wanted = wanted_sum(sum_.tree.shards(), step);
    std::int64_t wrong = 0;
    for (int bucket = 0; bucket < sum_.partition.buckets(); ++bucket) {
      const Range own = sum_.partition.chunk(bucket, rank_);
      for (std::int64_t i = own.begin; i < own.end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        wrong += got[at] == wanted[at] ? 0 : 1;
      }
    }
    if (sum_.shared != nullptr) {
      sum_.shared->end_step();
    }
    return wrong;
  }

 private:
  // What is left as factors counts with whatever is in the gradients' memory.
  std::vector<float> sum_of(Range node, int step) {
    if (ShardTree::is_leaf(node)) {
      const auto shard = static_cast<int>(node.begin);
      const Case at_hand = case_of(shard, step);
      model_.backward(tape_, at_hand.images, at_hand.uses, seed_of(shard, step));
      const std::span<const float> gradients = model_.store.gradients();
      sum_.factored.end_shard(gradients);
      return {gradients.begin(), gradients.end()};
    }
    std::vector<float> sum = sum_of(ShardTree::left(node), step);
    const std::vector<float> right = sum_of(ShardTree::right(node), step);
    std::ranges::transform(sum, right, sum.begin(), std::plus());
    return sum;
  }

  int rank_;
  Model model_;
  Sum sum_;
  Tape tape_;
  int left_ = 0;
};

void expect_right_sums(int ranks, int shards, testing::Memory memory) {
  for (const std::int64_t bucket_bytes : {1, 40'000, 1 << 20}) {
    testing::run_ranks(
        ranks,
        [&](Communicator& communicator) {
          Rank rank(communicator, shards, bucket_bytes);
          for (int step = 0; step < std::ssize(kCases); ++step) {
            const std::string where =
                fmt::format("rank {} of {}, {} shards, step {}, buckets of {}", communicator.rank(),
                            ranks, shards, step, bucket_bytes);
            EXPECT_EQ(rank.wrong_after(step), 0) << where;
            if (shards == ranks) {
              const bool shared = memory == testing::Memory::kShared;
              const int uses = case_of(communicator.rank(), step).uses;
              EXPECT_EQ(rank.left(), !shared ? 0 : uses == 1 ? 2 : 1) << where;
            } else if (ranks == 1) {
              // The second Linear's always; the first's by all but the shard that uses it twice, or
              // by none if that is the first.
              EXPECT_EQ(rank.left(), 2 * shards - (step == 3   ? 1
                                                   : step == 4 ? shards
                                                               : 0))
                  << where;
            }
          }
        },
        memory);
  }
}

TEST(FactoredGradientsTest, TheSumHasTheBitsOfTheRanksGradientsAddedUp) {
  set_num_threads(1);
  for (const int ranks : {2, 3, 5, 8}) {
    expect_right_sums(ranks, ranks, testing::Memory::kShared);
    expect_right_sums(ranks, ranks, testing::Memory::kApart);
  }
}

TEST(FactoredGradientsTest, TheSumHasTheBitsOfTheMicroShardsGradientsAddedUp) {
  set_num_threads(1);
  for (const int shards : {5, 8}) {
    for (const int ranks : {1, 2, 3}) {
      expect_right_sums(ranks, shards, testing::Memory::kShared);
      expect_right_sums(ranks, shards, testing::Memory::kApart);
    }
  }
}

TEST(FactoredGradientsTest, MoreThreadsAddUpTheSameMicroShards) {
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    expect_right_sums(1, 5, testing::Memory::kApart);
  }
  set_num_threads(1);
}

TEST(FactoredGradientsTest, MoreThreadsAddUpTheSameForRanks) {
  set_num_threads(1);
  testing::run_ranks(
      2,
      [&](Communicator& communicator) {
        Model model;
        Sum sum(communicator, model.store, 4, 1 << 20);
        ASSERT_EQ(sum.factored.weights().size(), 2U);
        sum.factored.begin_step();
        for (std::uint64_t shard = 0; shard < 2; ++shard) {
          const std::uint64_t seed = 10 * shard + static_cast<std::uint64_t>(communicator.rank());
          nn::LinearFactors(sum.factored.memory(model.second.weight()), kSize, kSize)
              .assign(random_tensor({5, kSize}, seed), random_tensor({5, kSize}, seed + 100));
          sum.factored.end_shard(model.store.gradients());
        }
        barrier(communicator);
        // Threads are the process's, so one rank at a time may use many.
        if (communicator.rank() == 0) {
          const FactoredGradients::Weight& weight = sum.factored.weights()[1];
          // Both ends lie within rows.
          const Range range = {.begin = weight.range.begin + 100, .end = weight.range.end - 70};
          const std::vector<const float*> partials(2);  // not looked at
          std::vector<float> wanted(static_cast<std::size_t>(range.size()));
          sum.factored.add_up(weight, range, partials, wanted);
          for (const int threads : {2, 3}) {
            set_num_threads(threads);
            std::vector<float> got(wanted.size());
            sum.factored.add_up(weight, range, partials, got);
            EXPECT_EQ(got, wanted) << threads << " threads";
          }
          set_num_threads(1);
        }
        barrier(communicator);
      },
      testing::Memory::kShared);
}

TEST(FactoredGradientsTest, OnlyWeightsThatAreLargeForTheImagesAreLeft) {
  testing::run_ranks(
      2,
      [](Communicator& communicator) {
        nn::Linear large({.in_features = 100, .out_features = 60});
        nn::Linear small({.in_features = 100, .out_features = 10});
        const ParameterStore store({{"large", &large.weight()},
                                    {"bias", &large.bias()},
                                    {"small", &small.weight()},
                                    {"bias2", &small.bias()}},
                                   0);
        const Partition partition(static_cast<std::int64_t>(store.values().size()), 2, 1 << 20);
        const ShardTree tree(2, 2);
        const auto left = [&](std::int64_t images) {
          FactoredGradients factors(
              store, {.communicator = communicator, .partition = partition, .tree = tree},
              {.images = images, .shared = true});
          factors.begin_step();
          EXPECT_TRUE(factors.memory(small.weight()).empty()) << images;
          EXPECT_TRUE(factors.memory(large.bias()).empty()) << images;
          return !factors.memory(large.weight()).empty();
        };
        // A rank reads up to 68 rows, 4,080 elements: of 31 images 1,860 and 68 times 32, of 32 60
        // more.
        EXPECT_TRUE(left(31));
        EXPECT_FALSE(left(32));
        EXPECT_FALSE(left(0));
      },
      testing::Memory::kShared);
}

}  // namespace
}  // namespace convoy::dist
