#include "dist/fingerprint.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/printable.h"
#include "core/io/hash64.h"
#include "dist/collectives.h"

namespace convoy::dist {
namespace {

constexpr std::size_t kMaxTextBytes = 48;
constexpr std::size_t kMaxPoints = 1000;
constexpr const char* kMissing = "(missing)";

// On the wire, for every point: name NUL value NUL.
std::vector<std::byte> encode(const Fingerprint& fingerprint) {
  std::string wire;
  for (const auto& [name, value] : fingerprint.points()) {
    wire.append(name).push_back('\0');
    wire.append(value).push_back('\0');
  }
  const auto bytes = std::as_bytes(std::span(wire));
  return {bytes.begin(), bytes.end()};
}

// Takes any bytes; those of another version of convoy are a fingerprint that differs.
Fingerprint decode(std::span<const std::byte> bytes) {
  Fingerprint fingerprint;
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto next = [&rest] {
    const std::string text(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(text.size() + 1, rest.size()));
    return text;
  };
  while (!rest.empty() && fingerprint.points().size() < kMaxPoints) {
    const std::string name = next();
    fingerprint.add(name, next());
  }
  return fingerprint;
}

// Every name that any rank has, in the order of the first rank that has it.
std::vector<std::string> all_names(const std::vector<Fingerprint>& all) {
  std::vector<std::string> names;
  std::set<std::string> known;
  for (const Fingerprint& fingerprint : all) {
    for (const auto& point : fingerprint.points()) {
      if (known.insert(point.name).second) {
        names.push_back(point.name);
      }
    }
  }
  return names;
}

// Short enough for the table, and still another text for another text.
std::string fitting(const std::string& text) {
  return text.size() <= kMaxTextBytes
             ? text
             : fmt::format("{}... {:016x}", text.substr(0, kMaxTextBytes - 20),
                           io::hash64(std::as_bytes(std::span(text))));
}

std::string shown(const std::string& text) {
  if (text.empty()) {
    return "(empty)";
  }
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return plain ? text : fmt::format("{}", printable(text));
}

// "rank 2 (node7), rank 3 (node7) and 12 more"
std::string who(const Communicator& communicator, const std::vector<int>& ranks) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> names;
  for (const int rank : ranks) {
    if (names.size() < kMost) {
      names.push_back(communicator.name(rank));
    }
  }
  const std::string text = fmt::format("{}", fmt::join(names, ", "));
  return ranks.size() > kMost ? fmt::format("{} and {} more", text, ranks.size() - kMost) : text;
}

struct Party {
  std::string value;
  std::vector<int> ranks = {};
};

// The ranks by the value they have of `name`, the largest party first, otherwise by lowest rank.
std::vector<Party> parties_of(const std::vector<Fingerprint>& all, const std::string& name) {
  std::vector<Party> parties;
  std::map<std::string, std::size_t> party_of;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const std::string* found = all[rank].find(name);
    const std::string value = found == nullptr ? kMissing : *found;
    const auto [at, is_new] = party_of.try_emplace(value, parties.size());
    if (is_new) {
      parties.push_back({.value = value});
    }
    parties[at->second].ranks.push_back(static_cast<int>(rank));
  }
  const auto largest =
      std::ranges::max_element(parties, {}, [](const Party& p) { return p.ranks.size(); });
  std::rotate(parties.begin(), largest, largest + 1);
  return parties;
}

// The lines of one point, its name before the first.
std::string row(const Communicator& communicator, const std::string& name, std::size_t width,
                const std::vector<Party>& parties) {
  constexpr std::size_t kMostParties = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(parties.size(), kMostParties); ++i) {
    const auto& [value, ranks] = parties[i];
    const bool most = i == 0 && ranks.size() > 1;
    text += fmt::format("  {:<{}}  {}: {}\n", i == 0 ? shown(name) : "", width,
                        most ? fmt::format("{} of {} ranks", ranks.size(), communicator.size())
                             : who(communicator, ranks),
                        shown(value));
  }
  if (parties.size() > kMostParties) {
    text +=
        fmt::format("  {:<{}}  and {} other values\n", "", width, parties.size() - kMostParties);
  }
  return text;
}

}  // namespace

void Fingerprint::add(const std::string& name, const std::string& value) {
  points_.push_back({.name = fitting(name), .value = fitting(value)});
}

const std::string* Fingerprint::find(const std::string& name) const {
  const auto found = std::ranges::find(points_, name, &Point::name);
  return found == points_.end() ? nullptr : &found->value;
}

std::string disagreement(Communicator& communicator, const Fingerprint& mine) {
  std::vector<Fingerprint> all;
  for (const std::vector<std::byte>& bytes : all_gather(communicator, encode(mine))) {
    all.push_back(decode(bytes));
  }
  const std::vector<std::string> names = all_names(all);
  std::vector<std::pair<std::string, std::vector<Party>>> differing;
  std::size_t width = 0;
  for (const std::string& name : names) {
    if (auto parties = parties_of(all, name); parties.size() > 1) {
      width = std::max(width, shown(name).size());
      differing.emplace_back(name, std::move(parties));
    }
  }
  if (differing.empty()) {
    return "";
  }
  std::string table;
  for (const auto& [name, parties] : differing) {
    table += row(communicator, name, width, parties);
  }
  return fmt::format(
      "the ranks disagree in {} of {} points, so nothing was trained\n{}Start all ranks with the "
      "same program, options and data.",
      differing.size(), names.size(), table);
}

}  // namespace convoy::dist
