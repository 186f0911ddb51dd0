// The order in which gradients are added up: along one binary tree over a fixed number of shards,
// each the gradient of its part of the batch. A node covers a range of shards; its sum is that of
// its left half plus that of its right half. Because the tree does not depend on who computes what,
// neither do the bits of the sum.
//
// A rank computes consecutive shards. The largest nodes within them are its partial sums.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dist/partition.h"

namespace convoy::dist {

class ShardTree {
 public:
  /// Throws Error unless 1 <= ranks <= shards.
  ShardTree(int shards, int ranks);

  int shards() const { return shards_; }
  int ranks() const { return ranks_; }
  /// The shards that a rank computes.
  Range shards_of(int rank) const;
  /// The nodes that a rank sums up by itself, from left to right.
  const std::vector<Range>& partials_of(int rank) const {
    return partials_[static_cast<std::size_t>(rank)];
  }
  /// Of all ranks together.
  int partials() const { return static_cast<int>(adds_after_.size()); }

  Range root() const { return {.begin = 0, .end = shards_}; }
  static bool is_leaf(Range node) { return node.size() == 1; }
  static Range left(Range node) { return {.begin = node.begin, .end = middle(node)}; }
  static Range right(Range node) { return {.begin = middle(node), .end = node.end}; }

  /// Writes the root's sum to `sum`, which may be one of the partial sums (those of all ranks, from
  /// left to right, each as long as `sum`).
  void add_up(std::span<const float* const> partials, std::span<float> sum) const;

 private:
  static std::int64_t middle(Range node) { return node.begin + (node.size() + 1) / 2; }

  int shards_;
  int ranks_;
  std::vector<std::vector<Range>> partials_;
  // Partial sums are pushed on a stack one after the other; behind the i-th, so many times the two
  // topmost are replaced by their sum.
  std::vector<int> adds_after_;
};

}  // namespace convoy::dist
