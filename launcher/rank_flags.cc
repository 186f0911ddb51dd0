// Flags for ranks: starting them, and what they do together.
#include <CLI/App.hpp>
#include <array>

#include "launcher/flags.h"

namespace convoy::launcher {
namespace {

// In the order of dist::OnNan.
std::span<const std::string> on_nan_names() {
  static const std::array<std::string, 3> names = {"stop", "skip", "rollback"};
  return names;
}

// In the order of dist::Overlap.
std::span<const std::string> overlap_names() {
  static const std::array<std::string, 4> names = {"auto", "off", "poll", "thread"};
  return names;
}

constexpr const char* kRanks = "Ranks";

// How gradients travel.
void add_reduce_flags(CLI::App& app, dist::ReduceOptions& reduce) {
  add_value(app, {"--overlap", "HOW", "auto, off, poll or thread [auto]", kRanks},
            [&reduce](const std::string& text) {
              reduce.overlap =
                  static_cast<dist::Overlap>(parse_word("--overlap", text, overlap_names()));
            });
  add_value(app, {"--bucket-kib", "N", "KiB of gradients sent at a time [1024]", kRanks},
            [&reduce](const std::string& text) {
              reduce.bucket_bytes = 1024 * parse_whole("--bucket-kib", text, range(1, 1 << 20));
            });
  add_switch(app, {"--bf16-gradients", "", "Send gradients in half the bytes, rounded", kRanks},
             [&reduce](bool on) { reduce.bf16 = on; });
}

}  // namespace

std::string overlap_str(dist::Overlap overlap) {
  return overlap_names()[static_cast<std::size_t>(overlap)];
}

std::string on_nan_str(dist::OnNan on_nan) {
  return on_nan_names()[static_cast<std::size_t>(on_nan)];
}

dist::OnNan parse_on_nan(const std::string& text) {
  return static_cast<dist::OnNan>(parse_word("--on-nan", text, on_nan_names()));
}

void add_rank_flags(CLI::App& app, DistributedOptions& options) {
  add_value(app, {"-n,--ranks", "N", "Train on this many ranks, started by mpirun", kRanks},
            [&options](const std::string& text) {
              options.ranks = static_cast<int>(parse_whole("--ranks", text, range(1, 1 << 16)));
            });
  add_path(app, {"--hostfile", "FILE", "Machines to use: NAME slots=N on each line", kRanks},
           options.hostfile);
  add_switch(app, {"--dry-run", "", "Print the mpirun command and do nothing", kRanks},
             [&options](bool on) { options.dry_run = on; });
  add_value(app, {"--timeout", "SECONDS", "The longest wait for another rank [60]", kRanks},
            [&options](const std::string& text) {
              options.timeout =
                  std::chrono::seconds(parse_whole("--timeout", text, range(1, 86400)));
            });
  add_switch(app, {"--reproducible", "", "The same bytes for any number of ranks", kRanks},
             [&options](bool on) { options.reproducible = on; });
  add_value(app, {"--micro-shards", "N", "Parts of a batch for --reproducible [8]", kRanks},
            [&options](const std::string& text) {
              options.micro_shards =
                  static_cast<int>(parse_whole("--micro-shards", text, range(1, kMaxMicroShards)));
            });
  add_switch(app, {"--shard-optimizer", "", "Divide the optimizer's state among ranks", kRanks},
             [&options](bool on) { options.shard_optimizer = on; });
  add_reduce_flags(app, options.reduce);
  add_value(app, {"--on-nan", "WHAT", "stop, skip or rollback [stop]", kRanks},
            [&options](const std::string& text) { options.on_nan = parse_on_nan(text); });
  add_value(app, {"--check-every", "N", "Compare weights each N steps; 0: never [100]", kRanks},
            [&options](const std::string& text) {
              options.check_every = parse_whole("--check-every", text, range(0, 1e15));
            });
}

}  // namespace convoy::launcher
