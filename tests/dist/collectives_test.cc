// Every collective on every number of ranks, with sizes down to nothing.
#include "dist/collectives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/dist/thread_communicator.h"

namespace convoy::dist {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::run_ranks;
using ::testing::ThrowsMessage;

std::vector<std::byte> text(const std::string& letters) {
  const auto bytes = std::as_bytes(std::span(letters));
  return {bytes.begin(), bytes.end()};
}

class CollectivesTest : public ::testing::TestWithParam<int> {};

TEST_P(CollectivesTest, SumsAreTheSameEverywhere) {
  const int size = GetParam();
  for (const std::size_t length : {0, 1, 7, 1000}) {
    run_ranks(size, [&](Communicator& communicator) {
      std::vector<std::int64_t> counts(length, communicator.rank() + 1);
      all_reduce_sum(communicator, counts);
      EXPECT_EQ(counts, std::vector<std::int64_t>(length, size * (size + 1) / 2));
      std::vector<double> values(length, 0.1 * communicator.rank());
      all_reduce_sum(communicator, values);
      for (const double value : values) {
        EXPECT_NEAR(value, 0.1 * size * (size - 1) / 2, 1e-12);
      }
      const auto bits = std::as_bytes(std::span(values));
      for (const std::vector<std::byte>& theirs : all_gather(communicator, bits)) {
        EXPECT_TRUE(std::ranges::equal(theirs, bits));
      }
    });
  }
}

TEST_P(CollectivesTest, BroadcastCopiesRankZeros) {
  run_ranks(GetParam(), [&](Communicator& communicator) {
    for (const std::string& letters :
         {std::string("convoy"), std::string(), std::string(5000, 'x')}) {
      const bool root = communicator.rank() == 0;
      EXPECT_EQ(broadcast(communicator, root ? text(letters) : text("other")), text(letters));
    }
  });
}

TEST_P(CollectivesTest, GatherKeepsLengthsAndTheOrderOfRanks) {
  const int size = GetParam();
  run_ranks(size, [&](Communicator& communicator) {
    const std::string mine(static_cast<std::size_t>(communicator.rank()), 'a');
    const auto parts = all_gather(communicator, text(mine));
    ASSERT_EQ(parts.size(), static_cast<std::size_t>(size));
    for (std::size_t rank = 0; rank < parts.size(); ++rank) {
      EXPECT_EQ(parts[rank], text(std::string(rank, 'a')));
    }
  });
}

TEST_P(CollectivesTest, NobodyLeavesABarrierBeforeAllHaveCome) {
  std::atomic<int> come = 0;
  run_ranks(GetParam(), [&](Communicator& communicator) {
    std::this_thread::sleep_for(std::chrono::milliseconds(communicator.rank()));
    ++come;
    barrier(communicator);
    EXPECT_EQ(come, GetParam());
  });
}

TEST_P(CollectivesTest, DuplicatesDoNotMixTheirMessages) {
  run_ranks(GetParam(), [&](Communicator& communicator) {
    const auto other = communicator.duplicate();
    std::int64_t sum = 0;
    std::thread thread([&] {
      for (int i = 0; i < 50; ++i) {
        std::int64_t value = 1;
        all_reduce_sum(*other, std::span(&value, 1));
        sum += value;
      }
    });
    for (int i = 0; i < 50; ++i) {
      std::int64_t value = 1000;
      all_reduce_sum(communicator, std::span(&value, 1));
      EXPECT_EQ(value, 1000 * GetParam());
    }
    thread.join();
    EXPECT_EQ(sum, 50 * GetParam());
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, CollectivesTest, ::testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 13));

// What a rank of another build may send: numbers that all_gather takes for lengths.
TEST(CollectivesTest, LengthsThatCannotBeAreRefused) {
  const auto gather_from = [](const std::vector<std::uint64_t>& numbers, const char* refusal) {
    EXPECT_THAT(
        [&] {
          run_ranks(2, [&](Communicator& communicator) {
            if (communicator.rank() == 0) {
              all_gather(communicator, text("mine"));
              return;
            }
            const auto bytes = std::as_bytes(std::span(numbers));
            Transfer length = communicator.send(bytes.first(8), 0, 3);
            communicator.wait(length);
            Transfer rest = communicator.send(bytes.subspan(8), 0, 3);
            communicator.wait(rest);
          });
        },
        ThrowsMessage<Error>(HasSubstr(refusal)));
  };
  gather_from({std::uint64_t{1} << 62}, "rank 1 (thread1) announces 4611686018427387904 bytes");
  gather_from({8, std::uint64_t{1} << 62},
              "rank 1 says it gives 4611686018427387904 bytes, 0 came");
  gather_from({16, 0, 0}, "2 ranks gathered the bytes of 3");
  gather_from({0}, "2 ranks gathered the bytes of 1");
}

TEST(CommunicatorTest, AWaitThatTakesTooLongNamesTheRankAndTheActivity) {
  EXPECT_THAT(
      [] {
        run_ranks(2, [](Communicator& communicator) {
          communicator.set_timeout(std::chrono::milliseconds(20));
          communicator.set_activity("training step", 812);
          if (communicator.rank() == 0) {
            barrier(communicator);
          }
        });
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("rank 0 (thread0)"), HasSubstr("rank 1 (thread1)"),
                                 HasSubstr("training step 812"))));
}

TEST(CommunicatorTest, AMessageOfAnotherLengthIsRefused) {
  EXPECT_THAT(
      [] {
        run_ranks(2, [](Communicator& communicator) {
          std::vector<std::byte> bytes(communicator.rank() == 0 ? 4 : 5);
          if (communicator.rank() == 0) {
            Transfer transfer = communicator.send(bytes, 1, 9);
            communicator.wait(transfer);
          } else {
            Transfer transfer = communicator.receive(bytes, 0, 9);
            communicator.wait(transfer);
          }
        });
      },
      ThrowsMessage<Error>(HasSubstr("4 bytes")));
}

}  // namespace
}  // namespace convoy::dist
