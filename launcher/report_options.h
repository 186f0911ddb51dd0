// Which coordinator a training run reports to. Rank 0's business alone: it changes no result.
#pragma once

#include <optional>
#include <string>

#include "launcher/coordinator_options.h"

namespace convoy::launcher {

enum class Reporting { kEmbedded, kRemote, kNone };

struct ReportOptions {
  /// Default: as the run that is resumed; of a new one, embedded.
  std::optional<Reporting> reporting = {};
  ConnectionOptions connection = {};  ///< of kRemote
};

}  // namespace convoy::launcher
