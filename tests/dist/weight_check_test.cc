// Flips single bits in the weights of real models, one per rank.
#include "dist/weight_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "core/base/parallel.h"
#include "tests/dist/thread_communicator.h"
#include "tests/dist/training_run.h"
#include "tests/support/expect_error.h"

namespace convoy::dist {
namespace {

using convoy::testing::error_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_ranks;

// A rank's own copy of the model.
struct Replica {
  std::unique_ptr<nn::Sequential> model = testing::small_model(true);
  ParameterStore store{model->named_parameters(), 7};
};

void flip(ParameterStore& store, const std::string& name, std::int64_t element, int bit) {
  float& value = store.find(name)->value().values()[static_cast<std::size_t>(element)];
  value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1U << bit);
}

// What check_weights says on every rank once `change` has been at each replica; "" if nothing.
std::string verdict(int ranks, const std::function<void(int rank, ParameterStore&)>& change) {
  set_num_threads(1);
  std::vector<std::string> texts(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& communicator) {
    Replica replica;
    change(communicator.rank(), replica.store);
    try {
      check_weights(communicator, replica.store, 200);
    } catch (const Error& error) {
      texts[static_cast<std::size_t>(communicator.rank())] = error.what();
    }
  });
  for (const std::string& text : texts) {
    EXPECT_EQ(text, texts[0]) << "all ranks say the same";
  }
  return texts[0];
}

TEST(WeightCheckTest, EqualWeightsPass) {
  for (int ranks = 1; ranks <= 5; ++ranks) {
    EXPECT_EQ(verdict(ranks, [](int, ParameterStore&) {}), "");
  }
}

TEST(WeightCheckTest, OneFlippedBitIsFoundInAnyRankAndParameter) {
  for (int ranks = 3; ranks <= 5; ++ranks) {
    for (const std::string name : {"conv.weight", "norm.bias", "norm.running_var", "fc.weight"}) {
      for (int drifted = 0; drifted < ranks; ++drifted) {
        const std::string text = verdict(ranks, [&](int rank, ParameterStore& store) {
          if (rank == drifted) {
            flip(store, name, 5, ranks);
          }
        });
        EXPECT_THAT(text, HasSubstr(fmt::format("after step 200: rank {0} (thread{0}) has other "
                                                "weights than rank {1} (thread{1}) and {2} more, "
                                                "first in '{3}'\n",
                                                drifted, drifted == 0 ? 1 : 0, ranks - 2, name)));
      }
    }
  }
}

TEST(WeightCheckTest, OfTwoRanksNeitherIsBlamed) {
  const std::string text = verdict(2, [](int rank, ParameterStore& store) {
    if (rank == 0) {
      flip(store, "fc.bias", 9, 31);
    }
  });
  EXPECT_THAT(text, HasSubstr("rank 1 (thread1) has other weights than rank 0 (thread0), first in "
                              "'fc.bias'\n"));
}

TEST(WeightCheckTest, TheFirstParameterOfSeveralIsNamed) {
  const std::string text = verdict(3, [](int rank, ParameterStore& store) {
    if (rank == 1) {
      flip(store, "fc.weight", 0, 0);
      flip(store, "norm.bias", 0, 0);
    }
  });
  EXPECT_THAT(text, HasSubstr("'norm.bias'"));
  EXPECT_THAT(text, Not(HasSubstr("fc.weight")));
}

TEST(WeightCheckTest, ZerosOfEitherSignAndNotANumberAreBits) {
  const auto fill = [](float value) {
    return [value](int rank, ParameterStore& store) {
      store.find("norm.bias")->value().fill(rank == 0 ? value : -value);
    };
  };
  EXPECT_THAT(verdict(2, fill(0.0F)), HasSubstr("norm.bias"));
  EXPECT_EQ(
      verdict(2,
              [](int, ParameterStore& store) {
                store.find("norm.bias")->value().fill(std::numeric_limits<float>::quiet_NaN());
              }),
      "");
}

TEST(WeightCheckTest, ManyDriftedRanksAreCutShort) {
  const std::string text = verdict(12, [](int rank, ParameterStore& store) {
    flip(store, "norm.bias", rank % 8, rank < 8 ? 3 : 4);
  });
  EXPECT_THAT(text, HasSubstr("rank 8 (thread8) has other weights than rank 0"));
  EXPECT_THAT(text, HasSubstr("and 3 ranks more"));
}

TEST(WeightCheckTest, ModelsOfDifferentSizesAreRefused) {
  set_num_threads(1);
  EXPECT_THAT(error_of([] {
                run_ranks(2, [](Communicator& communicator) {
                  const auto model = testing::small_model(communicator.rank() == 0);
                  const ParameterStore store(model->named_parameters(), 7);
                  check_weights(communicator, store, 1);
                });
              }),
              HasSubstr("different numbers of parameters"));
}

}  // namespace
}  // namespace convoy::dist
