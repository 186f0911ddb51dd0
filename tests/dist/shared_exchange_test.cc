// Ranks that share memory: the matrix ranks x sizes x buckets, and whoever does not come is named.
#include "dist/shared_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/base/parallel.h"
#include "dist/collectives.h"
#include "dist/gradient_reducer.h"
#include "tests/dist/thread_communicator.h"

namespace convoy::dist {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Memory;
using ::testing::ThrowsMessage;

void run_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  testing::run_ranks(ranks, body, Memory::kShared);
}

// One parameter, of which all that a rank needs lies in shared memory.
struct Model {
  Model(Communicator& communicator, std::int64_t size, std::int64_t bucket_bytes, int shards = 0)
      : parameter(Parameter::Options{.shape = {size}}),
        store({{"p", &parameter}}, 0),
        partition(static_cast<std::int64_t>(store.values().size()), communicator.size(),
                  bucket_bytes),
        tree(std::max(shards, communicator.size()), communicator.size()),
        shared(store, {.communicator = communicator, .partition = partition, .tree = tree}) {}

  GradientReducer::Options options() { return {.keep_own = true, .shared = &shared}; }

  Parameter parameter;
  ParameterStore store;
  Partition partition;
  ShardTree tree;
  SharedStore shared;
};

// Exact in any order.
float gradient(int rank, std::int64_t step, std::int64_t i) {
  return static_cast<float>((rank + 1) * 1000 + step * 10 + i % 7);
}

// Calls `body` with each element of the rank's chunks.
void for_own(const Partition& partition, int rank, const std::function<void(std::int64_t)>& body) {
  for (int bucket = 0; bucket < partition.buckets(); ++bucket) {
    const Range chunk = partition.chunk(bucket, rank);
    for (std::int64_t i = chunk.begin; i < chunk.end; ++i) {
      body(i);
    }
  }
}

class SharedExchangeTest : public ::testing::Test {
 protected:
  void SetUp() override { set_num_threads(1); }
};

TEST_F(SharedExchangeTest, EveryRankHasTheSumOfItsChunksAndThenTheWeightsOfAll) {
  for (const int ranks : {2, 3, 4, 5, 8}) {
    for (const std::int64_t size : {0, 1, 5, 4096, 8193, 40'000}) {
      for (const std::int64_t bucket_bytes : {1, 32'768, 1 << 20}) {
        run_ranks(ranks, [&](Communicator& communicator) {
          Model model(communicator, size, bucket_bytes);
          GradientReducer reducer(model.store, communicator, model.partition, model.tree,
                                  model.options());
          const int me = communicator.rank();
          const std::span<float> gradients = model.store.gradients();
          const std::span<const float> partial = gradients;
          for (std::int64_t step = 0; step < 4; ++step) {
            reducer.begin_step(step, {.images = me + 1, .loss_sum = 0.5}, std::span(&partial, 1));
            for (std::size_t i = 0; i < gradients.size(); ++i) {
              gradients[i] = gradient(me, step, static_cast<std::int64_t>(i));
            }
            reducer.on_ready(model.parameter);
            const std::span<const StepReport> reports = reducer.await_reports();
            ASSERT_EQ(std::ssize(reports), ranks);
            for (int rank = 0; rank < ranks; ++rank) {
              EXPECT_EQ(reports[static_cast<std::size_t>(rank)].images, rank + 1);
            }
            reducer.finish();
            std::int64_t wrong = 0;
            for_own(model.partition, me, [&](std::int64_t i) {
              float expected = 0;
              for (int rank = 0; rank < ranks; ++rank) {
                expected += gradient(rank, step, i);
              }
              wrong += gradients[static_cast<std::size_t>(i)] == expected ? 0 : 1;
              model.store.values()[static_cast<std::size_t>(i)] = expected;
            });
            model.shared.end_step();
            for (std::size_t i = 0; i < gradients.size(); ++i) {
              float expected = 0;
              for (int rank = 0; rank < ranks; ++rank) {
                expected += gradient(rank, step, static_cast<std::int64_t>(i));
              }
              wrong += model.store.values()[i] == expected ? 0 : 1;
            }
            EXPECT_EQ(wrong, 0) << ranks << " ranks, " << size << " elements, step " << step;
          }
          EXPECT_GE(reducer.statistics().bytes_sent,
                    model.partition.owned_elements(me) * 4 * (ranks - 1));
        });
      }
    }
  }
}

TEST_F(SharedExchangeTest, PartialSumsThatLieElsewhereAreAddedUpInTheTreesOrder) {
  constexpr int kShards = 8;
  constexpr std::int64_t kSize = 20'000;
  for (const int ranks : {2, 3, 5, 7, 8}) {
    // Sums of these depend on the order.
    const auto value = [](Range node, std::int64_t i) {
      return 1.0F / static_cast<float>(3 * node.begin + node.end + 7 * i);
    };
    run_ranks(ranks, [&](Communicator& communicator) {
      Model model(communicator, kSize, 1, kShards);
      GradientReducer reducer(model.store, communicator, model.partition, model.tree,
                              model.options());
      const int me = communicator.rank();
      std::vector<std::vector<float>> partials;
      std::vector<std::span<const float>> spans;
      for (const Range& node : model.tree.partials_of(me)) {
        std::vector<float>& partial = partials.emplace_back();
        for (std::int64_t i = 0; i < model.partition.elements(); ++i) {
          partial.push_back(value(node, i));
        }
        spans.emplace_back(partial);
      }
      reducer.begin_step(0, {}, spans);
      reducer.finish();
      std::int64_t wrong = 0;
      for_own(model.partition, me, [&](std::int64_t i) {
        std::vector<float> values;
        for (int rank = 0; rank < ranks; ++rank) {
          for (const Range& node : model.tree.partials_of(rank)) {
            values.push_back(value(node, i));
          }
        }
        std::vector<const float*> operands;
        for (const float& operand : values) {
          operands.push_back(&operand);
        }
        float expected = 0;
        model.tree.add_up(operands, std::span(&expected, 1));
        wrong += model.store.gradients()[static_cast<std::size_t>(i)] == expected ? 0 : 1;
      });
      EXPECT_EQ(wrong, 0) << ranks << " ranks";
    });
  }
}

TEST_F(SharedExchangeTest, ARankAtAnotherStepIsNamed) {
  EXPECT_THAT(
      [&] {
        run_ranks(3, [&](Communicator& communicator) {
          communicator.set_timeout(std::chrono::seconds(5));
          Model model(communicator, 100, 1 << 20);
          GradientReducer reducer(model.store, communicator, model.partition, model.tree,
                                  model.options());
          const std::span<const float> partial = model.store.gradients();
          reducer.begin_step(communicator.rank() == 2 ? 7 : 6, {}, std::span(&partial, 1));
          reducer.finish();
        });
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("drifted apart"), HasSubstr("rank 2 (host)"))));
}

TEST_F(SharedExchangeTest, ARankThatDoesNotComeIsNamed) {
  EXPECT_THAT(
      [&] {
        run_ranks(3, [&](Communicator& communicator) {
          Model model(communicator, 100, 1 << 20);
          communicator.set_timeout(std::chrono::milliseconds(50));
          GradientReducer reducer(model.store, communicator, model.partition, model.tree,
                                  model.options());
          const std::span<const float> partial = model.store.gradients();
          if (communicator.rank() != 1) {
            reducer.begin_step(41, {}, std::span(&partial, 1));
            reducer.finish();
          }
        });
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("rank 1 (host)"), HasSubstr("step 42"))));
}

TEST_F(SharedExchangeTest, ABucketThatIsReadyIsSummedWhileARankIsStillAtWorkOnTheNext) {
  run_ranks(2, [](Communicator& communicator) {
    communicator.set_timeout(std::chrono::seconds(20));
    constexpr std::int64_t kSize = 40'000;
    Parameter first({.shape = {kSize}});
    Parameter second({.shape = {kSize}});
    ParameterStore store({{"first", &first}, {"second", &second}}, 0);
    const Partition partition(2 * kSize, 2, 1 << 16);
    const ShardTree tree(2, 2);
    SharedStore shared(store, {.communicator = communicator, .partition = partition, .tree = tree});
    GradientReducer reducer(store, communicator, partition, tree,
                            {.keep_own = true, .shared = &shared});
    EXPECT_EQ(reducer.overlap(), Overlap::kPoll);
    const std::span<float> gradients = store.gradients();
    const std::span<const float> partial = gradients;
    std::ranges::fill(gradients, static_cast<float>(communicator.rank() + 1));
    reducer.begin_step(0, {}, std::span(&partial, 1));
    reducer.on_ready(second);
    if (communicator.rank() == 1) {
      barrier(communicator);  // only now is the first ready too
    }
    reducer.on_ready(first);
    const int last = partition.buckets() - 1;
    EXPECT_EQ(reducer.next_sum(), last);
    const Range own = partition.chunk(last, communicator.rank());
    EXPECT_EQ(gradients[static_cast<std::size_t>(own.begin)], 3.0F);
    if (communicator.rank() == 0) {
      barrier(communicator);
    }
    reducer.finish();
  });
}

TEST(SharedStoreTest, ARankThatDoesNotUpdateIsNamed) {
  EXPECT_THAT(
      [] {
        run_ranks(3, [](Communicator& communicator) {
          Model model(communicator, 100, 1 << 20);
          communicator.set_timeout(std::chrono::milliseconds(50));
          communicator.set_activity("training step", 812);
          if (communicator.rank() != 2) {
            model.shared.end_step();
          }
        });
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("rank 2 (host)"), HasSubstr("training step 812"))));
}

TEST(SharedStoreTest, RanksHaveOneCopyOfTheWeightsWhichIsRankZeros) {
  run_ranks(3, [](Communicator& communicator) {
    const auto first = static_cast<float>(communicator.rank() + 1);
    Parameter parameter({.shape = {20}, .initializer = [&](Tensor& value, RandomSequence&) {
                           std::ranges::fill(value.values(), first);
                         }});
    ParameterStore store({{"p", &parameter}}, 0);
    const Partition partition(32, communicator.size(), 1);
    const ShardTree tree(3, 3);
    const SharedStore shared(store,
                             {.communicator = communicator, .partition = partition, .tree = tree});
    EXPECT_EQ(parameter.value().values()[19], 1.0F);
    barrier(communicator);
    if (communicator.rank() == 1) {
      store.values()[7] = 5.0F;
    }
    barrier(communicator);
    EXPECT_EQ(parameter.value().values()[7], 5.0F);
  });
}

TEST(SharedStoreTest, RanksWithBuffersHaveTheirOwnAndEndAStepWithAllWeights) {
  run_ranks(3, [](Communicator& communicator) {
    constexpr std::int64_t kSize = 200'000;
    Parameter parameter({.shape = {kSize}});
    Parameter statistics({.shape = {5}, .trainable = false});
    ParameterStore store({{"p", &parameter}, {"running_mean", &statistics}}, 0);
    const Partition partition(static_cast<std::int64_t>(store.values().size()), communicator.size(),
                              1 << 18);
    const ShardTree tree(3, 3);
    SharedStore shared(store, {.communicator = communicator, .partition = partition, .tree = tree});
    const auto me = static_cast<float>(communicator.rank());
    std::ranges::fill(store.buffers(), me);
    for (int step = 0; step < 50; ++step) {
      barrier(communicator);  // all are ready: weights may change
      for_own(partition, communicator.rank(), [&](std::int64_t i) {
        store.values()[static_cast<std::size_t>(i)] = static_cast<float>(step);
      });
      shared.end_step();
      const std::span<float> values = store.values();
      ASSERT_EQ(std::ranges::count(values, static_cast<float>(step)), std::ssize(values));
      ASSERT_EQ(std::ranges::count(store.buffers(), me), std::ssize(store.buffers()));
    }
  });
}

TEST(SharedStoreTest, AStepEndsWhenAllRanksHaveTakenTheirSums) {
  run_ranks(2, [](Communicator& communicator) {
    Model model(communicator, 10'000, 1 << 20);
    SharedExchange exchange(
        {.communicator = communicator, .partition = model.partition, .tree = model.tree},
        model.shared);
    const std::span<float> gradients = model.store.gradients();
    const std::span<const float> partial = gradients;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (int step = 0; step < 20; ++step) {
      std::ranges::fill(gradients, static_cast<float>(step));
      exchange.begin_step(step, {}, std::span(&partial, 1), gradients);
      EXPECT_EQ(exchange.awaited(), -1);
      if (communicator.rank() == 0) {
        exchange.start(0);
        exchange.advance();
        EXPECT_EQ(exchange.awaited(), 1);
        barrier(communicator);
      } else {
        barrier(communicator);
        exchange.start(0);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the other one must wait
      }
      while (exchange.finished() == 0) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        exchange.advance();
      }
      exchange.take_sum(0);
      std::int64_t wrong = 0;
      for_own(model.partition, communicator.rank(), [&](std::int64_t i) {
        wrong += gradients[static_cast<std::size_t>(i)] == static_cast<float>(2 * step) ? 0 : 1;
      });
      EXPECT_EQ(wrong, 0) << "step " << step;
      EXPECT_EQ(exchange.awaited(), -1);
      model.shared.end_step();
    }
  });
}

}  // namespace
}  // namespace convoy::dist
