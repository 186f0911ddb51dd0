// Feeds arbitrary text to the reader of state.json: it must refuse with Error or read, nothing
// else. What it reads must survive being written: twice through the writer gives the same text. The
// options in it go to the reader of config.json.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "launcher/json.h"
#include "launcher/run_state.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace convoy::launcher;
  RunState state;
  try {
    state = parse_state({reinterpret_cast<const char*>(bytes), size}, "fuzz");
  } catch (const convoy::Error&) {
    return 0;
  }
  const std::string once = state_text(state);
  if (state_text(parse_state(once, "written")) != once) {
    std::abort();
  }
  kept_checkpoint(state);
  try {
    const std::string config = config_text(parse_config(state.config, "fuzz"));
    if (config_text(parse_config(config, "written")) != config) {
      std::abort();
    }
  } catch (const convoy::Error&) {
  }
  return 0;
}
