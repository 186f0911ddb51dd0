// Flags that say which coordinator a run reports to.
#include <CLI/App.hpp>

#include "launcher/flags.h"

namespace convoy::launcher {

void add_report_flags(CLI::App& app, ReportOptions& options) {
  add_value(app, {"--coordinator", "WHERE", "HOST:PORT, embedded or none [embedded]", kCoordinator},
            [&options](const std::string& text) {
              const bool remote = text != "embedded" && text != "none";
              options.connection.address = remote ? parse_address("--coordinator", text) : "";
              options.reporting = remote           ? Reporting::kRemote
                                  : text == "none" ? Reporting::kNone
                                                   : Reporting::kEmbedded;
            });
  add_access_flags(app, options.connection);
}

}  // namespace convoy::launcher
