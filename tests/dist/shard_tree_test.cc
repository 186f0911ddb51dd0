#include "dist/shard_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"

namespace convoy::dist {
namespace {

// Values whose sum depends on the order of adding.
std::vector<std::vector<float>> shards(int count, std::size_t length) {
  std::vector<std::vector<float>> values(static_cast<std::size_t>(count),
                                         std::vector<float>(length));
  for (std::size_t shard = 0; shard < values.size(); ++shard) {
    for (std::size_t i = 0; i < length; ++i) {
      values[shard][i] = 1.0F / static_cast<float>(1 + (shard * 31 + i * 7) % 97);
    }
  }
  return values;
}

std::vector<float> node_sum(Range node, const std::vector<std::vector<float>>& values) {
  if (ShardTree::is_leaf(node)) {
    return values[static_cast<std::size_t>(node.begin)];
  }
  std::vector<float> sum = node_sum(ShardTree::left(node), values);
  const std::vector<float> right = node_sum(ShardTree::right(node), values);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] += right[i];
  }
  return sum;
}

TEST(ShardTreeTest, TheSumHasTheSameBitsForEveryNumberOfRanks) {
  for (const int count : {1, 2, 3, 5, 8, 16, 31}) {
    for (const std::size_t length : {0, 1, 511, 512, 513, 2000}) {
      const auto values = shards(count, length);
      const std::vector<float> expected = node_sum({.begin = 0, .end = count}, values);
      for (int ranks = 1; ranks <= count; ++ranks) {
        const ShardTree tree(count, ranks);
        std::vector<std::vector<float>> partials;
        for (int rank = 0; rank < ranks; ++rank) {
          for (const Range& node : tree.partials_of(rank)) {
            partials.push_back(node_sum(node, values));
          }
        }
        std::vector<const float*> operands;
        for (const std::vector<float>& partial : partials) {
          operands.push_back(partial.data());
        }
        // Into one of its operands, as a rank does.
        tree.add_up(operands, partials.back());
        EXPECT_EQ(partials.back(), expected) << count << " shards, " << ranks << " ranks";
      }
    }
  }
}

TEST(ShardTreeTest, ARankHasTheLargestNodesOfItsShards) {
  const ShardTree tree(8, 3);
  EXPECT_EQ(tree.partials_of(0), (std::vector<Range>{{0, 2}, {2, 3}}));
  EXPECT_EQ(tree.partials_of(1), (std::vector<Range>{{3, 4}, {4, 6}}));
  EXPECT_EQ(tree.partials_of(2), (std::vector<Range>{{6, 8}}));
  EXPECT_EQ(ShardTree(8, 1).partials_of(0), (std::vector<Range>{{0, 8}}));
}

TEST(ShardTreeTest, RefusesMoreRanksThanShards) {
  EXPECT_THAT([] { ShardTree(8, 9); },
              ::testing::ThrowsMessage<Error>(::testing::HasSubstr("--micro-shards 9")));
  EXPECT_THROW(ShardTree(0, 1), Error);
  EXPECT_THROW(ShardTree(5000, 1), Error);
}

}  // namespace
}  // namespace convoy::dist
