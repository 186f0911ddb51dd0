// `convoy doctor`: says what stands in the way of training here, and how to clear it.
#include "launcher/doctor.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "launcher/commands.h"
#include "launcher/doctor_probe.h"
#include "launcher/exit_codes.h"
#include "launcher/terminal.h"

namespace convoy::launcher {

int run_doctor(const DoctorOptions& options) {
  const std::vector<Finding> findings = judge(probe(options));
  if (options.json) {
    std::cout << findings_json(findings) << std::endl;
  } else {
    std::cout << findings_text(findings, terminal_of(STDOUT_FILENO).colour) << std::flush;
  }
  const bool well = std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.level == Level::kProblem; });
  return well ? kExitDone : kExitError;
}

}  // namespace convoy::launcher
