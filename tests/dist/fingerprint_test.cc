#include "dist/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "dist/collectives.h"
#include "tests/dist/thread_communicator.h"

namespace convoy::dist {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_ranks;

Fingerprint fingerprint(const std::vector<Fingerprint::Point>& points) {
  Fingerprint fingerprint;
  for (const auto& [name, value] : points) {
    fingerprint.add(name, value);
  }
  return fingerprint;
}

// The table that all ranks come to, each with its own fingerprint.
std::string table_of(int ranks, const std::function<Fingerprint(int rank)>& of) {
  std::vector<std::string> tables(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& communicator) {
    const int rank = communicator.rank();
    tables[static_cast<std::size_t>(rank)] = disagreement(communicator, of(rank));
  });
  for (const std::string& table : tables) {
    EXPECT_EQ(table, tables[0]) << "all ranks print the same";
  }
  return tables[0];
}

TEST(FingerprintTest, EqualOnesAgree) {
  for (int ranks = 1; ranks <= 5; ++ranks) {
    EXPECT_EQ(table_of(ranks,
                       [](int) {
                         return fingerprint({{"seed", "0"}, {"lr", "0.001"}});
                       }),
              "");
    EXPECT_EQ(table_of(ranks, [](int) { return Fingerprint(); }), "");
  }
}

TEST(FingerprintTest, ADissenterIsNamedWithHostAndValue) {
  for (int ranks = 3; ranks <= 5; ++ranks) {
    for (int odd = 0; odd < ranks; ++odd) {
      const std::string table = table_of(ranks, [&](int rank) {
        return fingerprint({{"model", "tutorial"}, {"seed", rank == odd ? "1" : "0"}, {"lr", "1"}});
      });
      EXPECT_EQ(table, fmt::format("the ranks disagree in 1 of 3 points, so nothing was trained\n"
                                   "  seed  {0} of {1} ranks: 0\n"
                                   "        rank {2} (thread{2}): 1\n"
                                   "Start all ranks with the same program, options and data.",
                                   ranks - 1, ranks, odd));
    }
  }
}

TEST(FingerprintTest, OfTwoRanksBothAreShown) {
  EXPECT_THAT(table_of(2,
                       [](int rank) {
                         return fingerprint({{"lr", rank == 0 ? "a" : "b"}});
                       }),
              HasSubstr("  lr  rank 0 (thread0): a\n      rank 1 (thread1): b\n"));
}

TEST(FingerprintTest, EveryPointThatDiffersHasItsLines) {
  const std::string table = table_of(4, [](int rank) {
    return fingerprint({{"batch", rank >= 2 ? "64" : "32"},
                        {"same", "1"},
                        {"learning rate", std::to_string(rank)}});
  });
  EXPECT_THAT(table, HasSubstr("the ranks disagree in 2 of 3 points"));
  EXPECT_THAT(table, HasSubstr("  batch          2 of 4 ranks: 32\n"
                               "                 rank 2 (thread2), rank 3 (thread3): 64\n"
                               "  learning rate  rank 0 (thread0): 0\n"
                               "                 rank 1 (thread1): 1\n"));
  EXPECT_THAT(table, Not(HasSubstr("\n  same")));
}

TEST(FingerprintTest, APointThatARankLacksDiffers) {
  const std::string table = table_of(3, [](int rank) {
    Fingerprint mine = fingerprint({{"seed", "0"}});
    if (rank != 0) {
      mine.add("new option", "");
    }
    return mine;
  });
  EXPECT_THAT(table, HasSubstr("  new option  2 of 3 ranks: (empty)\n"
                               "              rank 0 (thread0): (missing)\n"));
}

TEST(FingerprintTest, ManyRanksAndValuesAreCutShort) {
  const std::string table = table_of(20, [](int rank) {
    return fingerprint({{"half", rank % 3 == 0 ? "1" : "0"}, {"all", std::to_string(rank)}});
  });
  EXPECT_THAT(table, HasSubstr("13 of 20 ranks: 0\n"));
  EXPECT_THAT(table,
              HasSubstr("rank 0 (thread0), rank 3 (thread3), rank 6 (thread6) and 4 more: 1\n"));
  EXPECT_THAT(table, HasSubstr("rank 7 (thread7): 7\n        and 12 other values\n"));
}

TEST(FingerprintTest, LongValuesDifferEvenWhereTheyAreNotShown) {
  const std::string table = table_of(2, [](int rank) {
    return fingerprint({{"path", std::string(500, 'x') + std::to_string(rank)}});
  });
  EXPECT_THAT(table, HasSubstr("xxx... "));
  EXPECT_LT(table.size(), 400U);
}

// A rank of another version of convoy sends whatever it likes.
TEST(FingerprintTest, AnyBytesAreAFingerprintThatDiffers) {
  for (const std::string& bytes :
       {std::string(), std::string("\0\0\0", 3), std::string("seed"),
        std::string("\x1b[31m\0\xff", 7), std::string(100'000, '\0'), std::string(100'000, 'x')}) {
    std::string table;
    run_ranks(3, [&](Communicator& communicator) {
      if (communicator.rank() == 1) {
        all_gather(communicator, std::as_bytes(std::span(bytes)));
      } else if (communicator.rank() == 0) {
        table = disagreement(communicator, fingerprint({{"seed", "0"}}));
      } else {
        disagreement(communicator, fingerprint({{"seed", "0"}}));
      }
    });
    EXPECT_THAT(table, HasSubstr("2 of 3 ranks: 0\n"));
    EXPECT_THAT(table, Not(HasSubstr("\x1b")));
    EXPECT_LT(table.size(), 1000U);
  }
}

}  // namespace
}  // namespace convoy::dist
