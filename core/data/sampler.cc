#include "core/data/sampler.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/base/check.h"
#include "core/base/random.h"

namespace convoy::data {
namespace {

void check_options(const SamplerOptions& options) {
  check(options.size >= 1 && options.size <= std::numeric_limits<std::uint32_t>::max(),
        "sampler: a data set of {} images; between 1 and 2^32 - 1 expected", options.size);
  check(options.batch_size >= 1, "sampler: batch size {}; at least 1 expected", options.batch_size);
}

// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): spreads an id over 64 bits.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

void epoch_order(const SamplerOptions& options, std::int64_t epoch,
                 std::vector<std::int64_t>& order) {
  check_options(options);
  check(epoch >= 0 && epoch <= std::numeric_limits<std::uint32_t>::max(),
        "sampler: epoch {}; between 0 and 2^32 - 1 expected", epoch);
  order.resize(static_cast<std::size_t>(options.size));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (!options.shuffle) {
    return;
  }
  RandomSequence random({.seed = options.seed,
                         .stream = Stream::kShuffle,
                         .step = static_cast<std::uint32_t>(epoch)});
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[random.below(static_cast<std::uint32_t>(i + 1))]);
  }
}

std::int64_t batches_per_epoch(const SamplerOptions& options) {
  check_options(options);
  return (options.size - 1) / options.batch_size + 1;
}

Range batch_range(const SamplerOptions& options, std::int64_t index) {
  check(index >= 0 && index < batches_per_epoch(options),
        "sampler: global batch {}; an epoch has {} of them", index, batches_per_epoch(options));
  const std::int64_t begin = index * options.batch_size;
  return {begin, begin + std::min(options.batch_size, options.size - begin)};
}

Range part_of(Range whole, int part, int parts) {
  check(part >= 0 && part < parts, "sampler: part {} of {}", part, parts);
  const std::int64_t smaller = whole.size() / parts;
  const std::int64_t larger_ones = whole.size() % parts;
  const std::int64_t begin =
      whole.begin + part * smaller + std::min<std::int64_t>(part, larger_ones);
  return {begin, begin + smaller + (part < larger_ones ? 1 : 0)};
}

void IdDigest::add(std::span<const std::int64_t> ids) {
  count += ids.size();
  for (const std::int64_t id : ids) {
    const std::uint64_t mixed = mix(static_cast<std::uint64_t>(id));
    sum += mixed;
    combined ^= mixed;
  }
}

void IdDigest::merge(const IdDigest& other) {
  count += other.count;
  sum += other.sum;
  combined ^= other.combined;
}

IdDigest IdDigest::of_all(std::int64_t size) {
  IdDigest digest;
  for (std::int64_t id = 0; id < size; ++id) {
    digest.add({&id, 1});
  }
  return digest;
}

}  // namespace convoy::data
