// `convoy export`: a model as a file to change and train.
#include <iostream>

#include "launcher/commands.h"
#include "launcher/exit_codes.h"
#include "launcher/model_file.h"

namespace convoy::launcher {

int run_export(const ExportOptions& options) {
  std::cout << load_model(options.model).text << std::flush;
  return kExitDone;
}

}  // namespace convoy::launcher
