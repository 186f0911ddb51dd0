#include "core/data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/base/check.h"

namespace convoy::data {
namespace {

using Ids = std::vector<std::int64_t>;

Ids order_of(const SamplerOptions& options, std::int64_t epoch) {
  Ids order;
  epoch_order(options, epoch, order);
  return order;
}

TEST(SamplerTest, OrderIsAPermutationFixedBySeedAndEpoch) {
  const SamplerOptions options = {.size = 1000, .seed = 7};
  const Ids order = order_of(options, 3);
  EXPECT_EQ(order_of(options, 3), order);
  EXPECT_NE(order_of(options, 4), order);
  EXPECT_NE(order_of({.size = 1000, .seed = 8}, 3), order);
  Ids sorted = order;
  std::ranges::sort(sorted);
  EXPECT_EQ(sorted, order_of({.size = 1000, .shuffle = false}, 0));
}

TEST(SamplerTest, OrderIsTheSameInEveryVersion) {
  // A checkpoint resumes in the middle of an epoch, so the order must not change between versions.
  EXPECT_EQ(order_of({.size = 8}, 0), (Ids{5, 4, 1, 0, 7, 6, 2, 3}));
  EXPECT_EQ(order_of({.size = 8, .seed = 1}, 2), (Ids{7, 4, 5, 6, 1, 3, 0, 2}));
}

TEST(SamplerTest, BatchSizeDoesNotChangeTheOrder) {
  EXPECT_EQ(order_of({.size = 50, .batch_size = 1}, 0), order_of({.size = 50, .batch_size = 9}, 0));
}

TEST(SamplerTest, EveryImageComesFirstAboutEquallyOften) {
  std::array<int, 5> first{};
  for (std::int64_t epoch = 0; epoch < 5000; ++epoch) {
    ++first.at(static_cast<std::size_t>(order_of({.size = 5}, epoch)[0]));
  }
  for (const int count : first) {
    EXPECT_NEAR(count, 1000, 150);  // five standard deviations
  }
}

TEST(SamplerTest, WithoutShuffleTheOrderIsThatOfTheFile) {
  EXPECT_EQ(order_of({.size = 4, .shuffle = false}, 9), (Ids{0, 1, 2, 3}));
}

TEST(SamplerTest, RanksSeeEachImageOnceAndInTheOrderOfOneRank) {
  for (const std::int64_t size : {1, 2, 7, 64, 100}) {
    for (const std::int64_t batch_size : {1, 3, 32, 100, 1000}) {
      const SamplerOptions options = {.size = size, .batch_size = batch_size, .seed = 5};
      const Ids order = order_of(options, 1);
      for (const int world_size : {1, 2, 3, 8, 200}) {
        Ids seen;
        IdDigest digest;
        for (std::int64_t b = 0; b < batches_per_epoch(options); ++b) {
          const Range batch = batch_range(options, b);
          EXPECT_EQ(batch.size(), std::min(batch_size, size - b * batch_size));
          for (int rank = 0; rank < world_size; ++rank) {
            const Range slice = part_of(batch, rank, world_size);
            EXPECT_GE(slice.size(), batch.size() / world_size);
            EXPECT_LE(slice.size(), batch.size() / world_size + 1);
            seen.insert(seen.end(), order.begin() + slice.begin, order.begin() + slice.end);
            IdDigest of_rank;
            of_rank.add(std::span(order).subspan(static_cast<std::size_t>(slice.begin),
                                                 static_cast<std::size_t>(slice.size())));
            digest.merge(of_rank);
          }
        }
        EXPECT_EQ(seen, order) << size << " images, batch " << batch_size << ", " << world_size
                               << " ranks";
        EXPECT_EQ(digest, IdDigest::of_all(size));
      }
    }
  }
}

TEST(SamplerTest, ImpossibleRequestsAreRefused) {
  Ids order;
  EXPECT_THROW(epoch_order({.size = 0}, 0, order), Error);
  EXPECT_THROW(epoch_order({.size = std::int64_t{1} << 32}, 0, order), Error);
  EXPECT_THROW(epoch_order({.size = 4}, -1, order), Error);
  EXPECT_THROW(batches_per_epoch({.size = 4, .batch_size = 0}), Error);
  EXPECT_THROW(batch_range({.size = 4, .batch_size = 2}, 2), Error);
  EXPECT_THROW(part_of({0, 4}, 2, 2), Error);
}

TEST(IdDigestTest, NoticesMissingRepeatedAndExchangedIds) {
  const auto of = [](Ids ids) {
    IdDigest digest;
    digest.add(ids);
    return digest;
  };
  const IdDigest all = IdDigest::of_all(6);
  EXPECT_EQ(of({5, 3, 1, 0, 2, 4}), all);
  EXPECT_NE(of({0, 1, 2, 3, 4}), all);
  EXPECT_NE(of({0, 1, 2, 3, 4, 5, 5}), all);
  EXPECT_NE(of({0, 1, 2, 3, 4, 4}), all);
  EXPECT_NE(of({0, 0, 3, 3, 4, 5}), all);  // the plain sum is the same
}

}  // namespace
}  // namespace convoy::data
