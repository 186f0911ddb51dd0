#include "launcher/notice.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace convoy::launcher {

void notify_launcher(std::string_view name, std::string_view value) {
  static const bool launched = std::getenv(kLauncherVariable) != nullptr;
  if (launched) {
    // In one piece, so that no other rank's output gets between.
    const std::string line = fmt::format("{}{}={}\n", kNoticeMark, name, value);
    [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
  }
}

}  // namespace convoy::launcher
