#include "dist/shard_tree.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"

namespace convoy::dist {
namespace {

constexpr int kMaxShards = 4096;
constexpr std::size_t kMaxDepth = 14;  // of a tree with that many
constexpr std::size_t kBlock = 512;    // elements added up at a time, so that they stay in cache

// The largest nodes of the tree below `node` that lie within `range`, from left to right.
void find_partials(Range node, Range range, std::vector<Range>& partials) {
  if (node.end <= range.begin || node.begin >= range.end) {
    return;
  }
  if (node.begin >= range.begin && node.end <= range.end) {
    partials.push_back(node);
    return;
  }
  find_partials(ShardTree::left(node), range, partials);
  find_partials(ShardTree::right(node), range, partials);
}

// Goes through the tree as addition does.
void find_adds(Range node, std::span<const Range> partials, std::vector<int>& adds_after) {
  if (partials[adds_after.size()] == node) {
    adds_after.push_back(0);
    return;
  }
  find_adds(ShardTree::left(node), partials, adds_after);
  find_adds(ShardTree::right(node), partials, adds_after);
  ++adds_after.back();
}

// `to` may be `a` or `b`.
void add(const float* a, const float* b, std::size_t length, float* to) {
  for (std::size_t i = 0; i < length; ++i) {
    to[i] = a[i] + b[i];
  }
}

}  // namespace

ShardTree::ShardTree(int shards, int ranks) : shards_(shards), ranks_(ranks) {
  check(shards >= 1 && shards <= kMaxShards, "{} micro-shards: must be 1 to {}", shards,
        kMaxShards);
  check(ranks >= 1 && ranks <= shards,
        "{} ranks for {} micro-shards: a rank needs at least one. Start fewer ranks, or give "
        "--micro-shards {} (which is another result).",
        ranks, shards, ranks);
  std::vector<Range> all;
  for (int rank = 0; rank < ranks; ++rank) {
    find_partials(root(), shards_of(rank), partials_.emplace_back());
    all.insert(all.end(), partials_.back().begin(), partials_.back().end());
  }
  find_adds(root(), all, adds_after_);
}

Range ShardTree::shards_of(int rank) const {
  return data::part_of(root(), rank, ranks_);
}

void ShardTree::add_up(std::span<const float* const> partials, std::span<float> sum) const {
  check(partials.size() == adds_after_.size(), "{} partial sums instead of {}", partials.size(),
        adds_after_.size());
  if (partials.size() == 1) {
    std::copy_n(partials[0], sum.size(), sum.data());
    return;
  }
  std::array<std::array<float, kBlock>, kMaxDepth> sums;
  for (std::size_t begin = 0; begin < sum.size(); begin += kBlock) {
    const std::size_t length = std::min(kBlock, sum.size() - begin);
    std::array<const float*, kMaxDepth> stack{};
    std::size_t height = 0;
    for (std::size_t i = 0; i < partials.size(); ++i) {
      stack[height++] = partials[i] + begin;
      for (int adds = adds_after_[i]; adds > 0; --adds) {
        --height;
        const bool last = i + 1 == partials.size() && adds == 1;
        float* to = last ? sum.data() + begin : sums[height - 1].data();
        add(stack[height - 1], stack[height], length, to);
        stack[height - 1] = to;
      }
    }
  }
}

}  // namespace convoy::dist
