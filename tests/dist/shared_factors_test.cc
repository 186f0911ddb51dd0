// Gradients of Linear weights between ranks that share memory: left as factors or not, the sum has
// the bits of the ranks' gradients added up.
#include "dist/shared_factors.h"

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

// What else a rank needs to share its gradients.
struct Sharing {
  Sharing(Communicator& communicator, ParameterStore& store, std::int64_t bucket_bytes)
      : partition(static_cast<std::int64_t>(store.values().size()), communicator.size(),
                  bucket_bytes),
        tree(communicator.size(), communicator.size()),
        shared(store, {.communicator = communicator, .partition = partition, .tree = tree},
               kMostImages),
        reducer(store, communicator, partition, tree, {.keep_own = true, .shared = &shared}) {}

  Partition partition;
  ShardTree tree;
  SharedStore shared;
  GradientReducer reducer;
};

struct Case {
  std::int64_t images;
  int uses;
};
// Of rank 1; the others leave factors for all images that there can be.
constexpr Case kCases[] = {{kMostImages, 1}, {1, 1}, {0, 1}, {3, 2}};

Case case_of(int rank, int step) {
  return rank == 1 ? kCases[step] : Case{.images = kMostImages - rank % 2, .uses = 1};
}
std::uint64_t seed_of(int rank, int step) {
  return static_cast<std::uint64_t>(100 * step + 10 * rank);
}

// What each rank has by itself, with the weights that all begin with.
std::vector<std::vector<float>> gradients_of_all(int ranks, int step) {
  std::vector<std::vector<float>> all;
  for (int rank = 0; rank < ranks; ++rank) {
    Model model;
    Tape tape;
    const auto [images, uses] = case_of(rank, step);
    model.backward(tape, images, uses, seed_of(rank, step));
    all.emplace_back(model.store.gradients().begin(), model.store.gradients().end());
  }
  return all;
}

TEST(SharedFactorsTest, TheSumHasTheBitsOfTheRanksGradientsAddedUp) {
  set_num_threads(1);
  for (const int ranks : {2, 3, 5, 8}) {
    for (const std::int64_t bucket_bytes : {1, 40'000, 1 << 20}) {
      testing::run_ranks(
          ranks,
          [&](Communicator& communicator) {
            const int me = communicator.rank();
            Model model;
            Sharing sharing(communicator, model.store, bucket_bytes);
            Tape tape;
            int left = 0;
            tape.set_factor_memory([&](const Parameter& parameter) {
              const std::span<float> memory = sharing.reducer.factor_memory(parameter);
              left += memory.empty() ? 0 : 1;
              return memory;
            });
            for (int step = 0; step < std::ssize(kCases); ++step) {
              const auto [images, uses] = case_of(me, step);
              const std::span<const float> partial = model.store.gradient_memory().values();
              sharing.reducer.begin_step(step, {.images = images}, std::span(&partial, 1));
              left = 0;
              model.backward(tape, images, uses, seed_of(me, step));
              EXPECT_EQ(left, uses == 1 ? 2 : 1) << "rank " << me << ", step " << step;
              sharing.reducer.finish();
              std::vector<float> sum(partial.begin(), partial.end());
              sharing.shared.end_step();

              const std::vector<std::vector<float>> all = gradients_of_all(ranks, step);
              std::int64_t wrong = 0;
              for (int bucket = 0; bucket < sharing.partition.buckets(); ++bucket) {
                const Range own = sharing.partition.chunk(bucket, me);
                std::vector<const float*> operands;
                for (const std::vector<float>& gradient : all) {
                  operands.push_back(gradient.data() + own.begin);
                }
                std::vector<float> wanted(static_cast<std::size_t>(own.size()));
                sharing.tree.add_up(operands, wanted);
                for (std::int64_t i = own.begin; i < own.end; ++i) {
                  wrong += sum[static_cast<std::size_t>(i)] ==
                                   wanted[static_cast<std::size_t>(i - own.begin)]
                               ? 0
                               : 1;
                }
              }
              EXPECT_EQ(wrong, 0) << ranks << " ranks, step " << step << ", buckets of "
                                  << bucket_bytes;
            }
          },
          testing::Memory::kShared);
    }
  }
}

TEST(SharedFactorsTest, MoreThreadsAddUpTheSame) {
  set_num_threads(1);
  testing::run_ranks(
      2,
      [&](Communicator& communicator) {
        const int me = communicator.rank();
        Model model;
        const Partition partition(static_cast<std::int64_t>(model.store.values().size()), 2,
                                  1 << 20);
        const ShardTree tree(2, 2);
        SharedFactors factors(
            model.store, {.communicator = communicator, .partition = partition, .tree = tree}, 5);
        ASSERT_EQ(factors.weights().size(), 2U);
        for (const SharedFactors::Weight& weight : factors.weights()) {
          nn::LinearFactors(weight.factors[static_cast<std::size_t>(me)])
              .assign(random_tensor({5, kSize}, seed_of(me, 1)),
                      random_tensor({5, kSize}, seed_of(me, 2)));
        }
        barrier(communicator);
        if (me == 0) {
          const SharedFactors::Weight& weight = factors.weights()[1];
          // Both ends lie within rows.
          const Range range = {.begin = weight.range.begin + 100, .end = weight.range.end - 70};
          const std::vector<const float*> partials(2);  // not looked at
          std::vector<float> wanted(static_cast<std::size_t>(range.size()));
          factors.add_up(weight, range, partials, wanted);
          for (const int threads : {2, 3}) {
            set_num_threads(threads);
            std::vector<float> got(wanted.size());
            factors.add_up(weight, range, partials, got);
            EXPECT_EQ(got, wanted) << threads << " threads";
          }
          set_num_threads(1);
        }
        barrier(communicator);
      },
      testing::Memory::kShared);
}

TEST(SharedFactorsTest, OnlyWeightsThatAreLargeForTheImagesAreLeft) {
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
          SharedFactors factors(
              store, {.communicator = communicator, .partition = partition, .tree = tree}, images);
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
