// Flags for checkpoints: when one is made, which are kept, and going on from one.
#include <CLI/App.hpp>

#include "launcher/flags.h"

namespace convoy::launcher {
namespace {

// CLI11 says "true" for a flag without its value, as TOML does in a --config file.
constexpr const char* kNoValue = "true";

int parse_count(const std::string& name, const std::string& text, int min) {
  return static_cast<int>(parse_whole(name, text, range(min, 10'000)));
}

}  // namespace

void add_checkpoint_flags(CLI::App& app, TrainOptions& options) {
  const std::string group = "Checkpoints";
  app.add_option_function<std::string>(
         "--resume",
         [&options](const std::string& text) { options.resume = text == kNoValue ? "" : text; },
         "Go on with a run or checkpoint [the newest run]")
      ->expected(0, 1)
      ->type_name("[DIR]")
      ->group(group)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_value(app, {"--checkpoint-every", "N", "Steps from one to the next, besides epochs", group},
            [&options](const std::string& text) {
              options.checkpoint_every = parse_whole("--checkpoint-every", text, range(1, 1e15));
            });
  add_value(app, {"--keep-last", "N", "Keep the newest N [2]", group},
            [&options](const std::string& text) {
              options.keep.last = parse_count("--keep-last", text, 1);
            });
  add_value(app, {"--keep-best", "N", "Keep those of the N best epochs too [1]", group},
            [&options](const std::string& text) {
              options.keep.best = parse_count("--keep-best", text, 0);
            });
}

}  // namespace convoy::launcher
