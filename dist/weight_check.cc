#include "dist/weight_check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "core/io/hash64.h"
#include "dist/collectives.h"

namespace convoy::dist {
namespace {

// One rank's: of each parameter.
using Hashes = std::vector<std::uint64_t>;

std::vector<Hashes> hashes_of_all_ranks(Communicator& communicator, const ParameterStore& store) {
  Hashes mine;
  for (const Parameter* parameter : store.parameters()) {
    mine.push_back(io::hash64(std::as_bytes(parameter->value().values())));
  }
  std::vector<Hashes> all;
  for (const auto& bytes : all_gather(communicator, std::as_bytes(std::span(mine)))) {
    const int rank = static_cast<int>(all.size());
    check(bytes.size() == mine.size() * sizeof(std::uint64_t),
          "{} and {} have models with different numbers of parameters", communicator.name(rank),
          communicator.name(communicator.rank()));
    std::memcpy(all.emplace_back(mine.size()).data(), bytes.data(), bytes.size());
  }
  return all;
}

// Those of the most ranks; of equally many, those of the lowest rank.
const Hashes& majority(const std::vector<Hashes>& all) {
  return *std::ranges::max_element(
      all, {}, [&](const Hashes& hashes) { return std::ranges::count(all, hashes); });
}

}  // namespace

void check_weights(Communicator& communicator, const ParameterStore& store, std::int64_t step) {
  const std::vector<Hashes> all = hashes_of_all_ranks(communicator, store);
  const Hashes& common = majority(all);
  const auto agreeing = std::ranges::count(all, common);
  if (agreeing == std::ssize(all)) {
    return;
  }
  const auto rank_of = [&](const Hashes& hashes) { return static_cast<int>(&hashes - all.data()); };
  std::string others = communicator.name(rank_of(common));
  if (agreeing > 1) {
    others += fmt::format(" and {} more", agreeing - 1);
  }
  constexpr std::size_t kMostLines = 8;
  std::vector<std::string> lines;
  for (const Hashes& hashes : all) {
    const auto differs = std::ranges::mismatch(hashes, common).in1;
    if (differs != hashes.end() && lines.size() < kMostLines) {
      const Parameter& first = *store.parameters()[static_cast<std::size_t>(
          std::ranges::distance(hashes.begin(), differs))];
      lines.push_back(fmt::format("{} has other weights than {}, first in '{}'",
                                  communicator.name(rank_of(hashes)), others, first.name()));
    }
  }
  const auto drifted = std::ssize(all) - agreeing;
  if (drifted > std::ssize(lines)) {
    lines.push_back(fmt::format("and {} ranks more", drifted - std::ssize(lines)));
  }
  fail(
      "after step {}: {}\nFaulty memory or a faulty CPU does this. Leave that host out, and go on "
      "from the last checkpoint with --resume.",
      step, fmt::join(lines, "\n"));
}

}  // namespace convoy::dist
