#include "dist/partition.h"

#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/optim/clip.h"

namespace convoy::dist {
namespace {

TEST(PartitionTest, ChunksCoverEveryElementOnceInOrder) {
  for (const std::int64_t elements : {0, 1, 4095, 4096, 4097, 100'000}) {
    for (const int ranks : {1, 2, 3, 5, 8}) {
      for (const std::int64_t bucket_bytes : {1, 16384, 65536, 1 << 20}) {
        const Partition partition(elements, ranks, bucket_bytes);
        std::int64_t next = 0;
        for (int bucket = 0; bucket < partition.buckets(); ++bucket) {
          EXPECT_EQ(partition.bucket(bucket).begin, next);
          for (int rank = 0; rank < ranks; ++rank) {
            const Range chunk = partition.chunk(bucket, rank);
            EXPECT_EQ(chunk.begin, next);
            EXPECT_TRUE(chunk.begin % optim::kNormBlock == 0 || chunk.begin == elements);
            for (std::int64_t i = chunk.begin; i < chunk.end; i += 1000) {
              EXPECT_EQ(partition.bucket_of(i), bucket);
            }
            next = chunk.end;
          }
          EXPECT_EQ(partition.bucket(bucket).end, next);
        }
        EXPECT_EQ(next, elements);
        std::int64_t owned = 0;
        for (int rank = 0; rank < ranks; ++rank) {
          owned += partition.owned_elements(rank);
        }
        EXPECT_EQ(owned, elements);
      }
    }
  }
}

TEST(PartitionTest, RanksOwnAboutTheSame) {
  const Partition partition(1'400'000, 4, 1 << 20);
  for (int rank = 0; rank < 4; ++rank) {
    EXPECT_NEAR(static_cast<double>(partition.owned_elements(rank)), 350'000, 4096 * 6);
  }
}

TEST(PartitionTest, HugeModelsGetLargerBucketsRatherThanTooMany) {
  const Partition partition(std::int64_t{1} << 33, 2, 1);
  EXPECT_LE(partition.buckets(), Partition::kMaxBuckets);
}

TEST(PartitionTest, RefusesWhatCannotBeCut) {
  EXPECT_THROW(Partition(10, 0, 100), Error);
  EXPECT_THROW(Partition(10, 1, 0), Error);
}

}  // namespace
}  // namespace convoy::dist
