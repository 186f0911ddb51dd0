// Ranks as threads over the matrix ranks x sizes x buckets x ways of overlapping.
#include "dist/gradient_reducer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/parallel.h"
#include "dist/bfloat16.h"
#include "tests/dist/thread_communicator.h"

namespace convoy::dist {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::run_ranks;
using ::testing::ThrowsMessage;

// Parameters of the given sizes and nothing else.
struct Model {
  explicit Model(const std::vector<std::int64_t>& sizes) {
    std::vector<NamedParameter> named;
    for (const std::int64_t size : sizes) {
      parameters.push_back(std::make_unique<Parameter>(Parameter::Options{.shape = {size}}));
      named.push_back({fmt::format("p{}", named.size()), parameters.back().get()});
    }
    store = std::make_unique<ParameterStore>(std::move(named), 0);
  }
  std::vector<std::unique_ptr<Parameter>> parameters;
  std::unique_ptr<ParameterStore> store;
};

// Exact in any order.
float gradient(int rank, std::int64_t step, std::size_t i) {
  return static_cast<float>((rank + 1) * 1000 + step * 10) + static_cast<float>(i % 7);
}

struct Case {
  int ranks;
  std::vector<std::int64_t> sizes;
  std::int64_t bucket_bytes;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int ranks : {1, 2, 3, 4, 5, 8}) {
    for (const std::vector<std::int64_t>& sizes :
         {std::vector<std::int64_t>{}, {1}, {0, 5}, {4096, 1, 4096}, {30'000, 16, 9'999}}) {
      for (const std::int64_t bucket_bytes : {1, 32'768, 1 << 20}) {
        all.push_back({ranks, sizes, bucket_bytes});
      }
    }
  }
  return all;
}

class GradientReducerTest : public ::testing::TestWithParam<Overlap> {
 protected:
  void SetUp() override { set_num_threads(1); }
};

TEST_P(GradientReducerTest, SumsGradientsAndReportsOfAllRanks) {
  for (const Case& c : cases()) {
    run_ranks(c.ranks, [&](Communicator& communicator) {
      const Model model(c.sizes);
      ParameterStore& store = *model.store;
      const auto size = store.gradients().size();
      const Partition partition(static_cast<std::int64_t>(size), c.ranks, c.bucket_bytes);
      const ShardTree tree(c.ranks, c.ranks);
      GradientReducer reducer(store, communicator, partition, tree,
                              {.reduce = {.bucket_bytes = c.bucket_bytes, .overlap = GetParam()}});
      for (std::int64_t step = 0; step < (GetParam() == Overlap::kAuto ? 40 : 4); ++step) {
        const std::span<const float> partial = store.gradients();
        reducer.begin_step(step, {.images = communicator.rank() + 1, .loss_sum = 0.5, .stops = 1},
                           std::span(&partial, 1));
        for (std::size_t i = 0; i < size; ++i) {
          store.gradients()[i] = gradient(communicator.rank(), step, i);
        }
        for (auto p = model.parameters.rbegin(); p != model.parameters.rend(); ++p) {
          reducer.on_ready(**p);
        }
        const std::span<const StepReport> reports = reducer.await_reports();
        ASSERT_EQ(std::ssize(reports), c.ranks);
        for (int rank = 0; rank < c.ranks; ++rank) {
          const StepReport& report = reports[static_cast<std::size_t>(rank)];
          EXPECT_EQ(report.images, rank + 1);
          EXPECT_EQ(report.loss_sum, 0.5);
          EXPECT_EQ(report.stops, 1);
        }
        for (int bucket = partition.buckets() - 1; bucket >= 0; --bucket) {
          EXPECT_EQ(reducer.next_sum(), bucket);
        }
        EXPECT_EQ(reducer.next_sum(), std::nullopt);
        reducer.finish();
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < size; ++i) {
          float expected = 0;
          for (int rank = 0; rank < c.ranks; ++rank) {
            expected += gradient(rank, step, i);
          }
          wrong += store.gradients()[i] == expected ? 0 : 1;
        }
        EXPECT_EQ(wrong, 0U) << c.ranks << " ranks, " << size << " elements, step " << step;
      }
      if (GetParam() == Overlap::kAuto && c.ranks > 1) {
        EXPECT_NE(reducer.overlap(), Overlap::kAuto);
      }
      if (c.ranks > 1) {
        const auto [steps, bytes, total, exposed] = reducer.statistics();
        EXPECT_GE(bytes / steps, static_cast<std::int64_t>(partition.owned_elements(0) * 4));
        EXPECT_GT(total.count(), 0.0);
      }
    });
  }
}

TEST_P(GradientReducerTest, AParameterThatIsNeverReadyIsReducedAllTheSame) {
  run_ranks(3, [&](Communicator& communicator) {
    const Model model({20'000, 20'000});
    const Partition partition(40'000, 3, 16'384);
    const ShardTree tree(3, 3);
    GradientReducer reducer(*model.store, communicator, partition, tree,
                            {.reduce = {.overlap = GetParam()}});
    const std::span<const float> partial = model.store->gradients();
    reducer.begin_step(0, {}, std::span(&partial, 1));
    std::ranges::fill(model.store->gradients(), 1.0F);
    reducer.on_ready(*model.parameters[0]);
    reducer.finish();
    EXPECT_EQ(model.store->gradients()[0], 3.0F);
    EXPECT_EQ(model.store->gradients()[39'999], 3.0F);
  });
}

TEST_P(GradientReducerTest, ARankAtAnotherStepIsNamed) {
  EXPECT_THAT(
      [&] {
        run_ranks(3, [&](Communicator& communicator) {
          const Model model({100});
          const Partition partition(112, 3, 1 << 20);
          const ShardTree tree(3, 3);
          GradientReducer reducer(*model.store, communicator, partition, tree,
                                  {.reduce = {.overlap = GetParam()}});
          const std::span<const float> partial = model.store->gradients();
          reducer.begin_step(communicator.rank() == 2 ? 7 : 6, {}, std::span(&partial, 1));
          reducer.finish();
        });
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("drifted apart"), HasSubstr("(thread"))));
}

TEST_P(GradientReducerTest, ARankThatDoesNotComeIsNamed) {
  EXPECT_THAT(
      [&] {
        run_ranks(3, [&](Communicator& communicator) {
          communicator.set_timeout(std::chrono::milliseconds(50));
          const Model model({100});
          const Partition partition(112, 3, 1 << 20);
          const ShardTree tree(3, 3);
          GradientReducer reducer(*model.store, communicator, partition, tree,
                                  {.reduce = {.overlap = GetParam()}});
          const std::span<const float> partial = model.store->gradients();
          if (communicator.rank() != 1) {
            reducer.begin_step(41, {}, std::span(&partial, 1));
            reducer.finish();
          }
        });
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("rank 1 (thread1)"), HasSubstr("step 42"))));
}

INSTANTIATE_TEST_SUITE_P(Ways, GradientReducerTest,
                         ::testing::Values(Overlap::kOff, Overlap::kPoll, Overlap::kThread,
                                           Overlap::kAuto));

TEST(GradientReducerBfloat16Test, ErrorFeedbackCarriesWhatRoundingLeavesOver) {
  set_num_threads(1);
  run_ranks(3, [](Communicator& communicator) {
    const Model model({10'000});
    const std::span<float> gradients = model.store->gradients();
    const Partition partition(10'000, 3, 1 << 20);
    const ShardTree tree(3, 3);
    GradientReducer reducer(*model.store, communicator, partition, tree,
                            {.reduce = {.bf16 = true}});
    const std::span<const float> partial = gradients;
    constexpr int kSteps = 200;
    std::vector<double> sums(gradients.size());
    double worst_step = 0;
    for (int step = 0; step < kSteps; ++step) {
      const auto value = [](int rank, std::size_t i) {
        return 0.001F + 0.1F * static_cast<float>(rank) + 1e-5F * static_cast<float>(i);
      };
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        gradients[i] = value(communicator.rank(), i);
      }
      reducer.begin_step(step, {}, std::span(&partial, 1));
      reducer.finish();
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        const double exact = static_cast<double>(value(0, i)) + static_cast<double>(value(1, i)) +
                             static_cast<double>(value(2, i));
        sums[i] += static_cast<double>(gradients[i]) / exact;
        worst_step = std::max(worst_step, std::abs(static_cast<double>(gradients[i]) / exact - 1));
      }
    }
    EXPECT_GT(worst_step, 1e-4);  // it does round
    for (const double sum : sums) {
      ASSERT_NEAR(sum / kSteps, 1.0, 1e-4);  // and yet nothing is lost
    }
  });
}

TEST(Bfloat16Test, RoundsToNearestEvenAndKeepsNaN) {
  EXPECT_EQ(from_bfloat16(to_bfloat16(1.0F)), 1.0F);
  EXPECT_EQ(from_bfloat16(to_bfloat16(1.00390625F)), 1.0F);       // halfway, down to even
  EXPECT_EQ(from_bfloat16(to_bfloat16(1.01171875F)), 1.015625F);  // halfway, up to even
  EXPECT_EQ(from_bfloat16(to_bfloat16(-INFINITY)), -INFINITY);
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(std::bit_cast<float>(0x7F800001U)))));
}

}  // namespace
}  // namespace convoy::dist
