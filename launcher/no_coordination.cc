// A program without coordinators.
#include "core/base/check.h"
#include "launcher/coordination.h"

namespace convoy::launcher {

std::unique_ptr<Coordination> start_coordination(const CoordinationParts& parts) {
  const auto reporting = parts.job.task().options.report.reporting;
  check(!reporting || *reporting == Reporting::kNone,
        "--coordinator: this convoy was built without one (-DCONVOY_WITH_GRPC=OFF)\n"
        "leave it out, or say --coordinator none");
  return nullptr;
}

}  // namespace convoy::launcher
