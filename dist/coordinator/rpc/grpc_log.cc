#include "dist/coordinator/rpc/grpc_log.h"

#include <grpc/support/log.h>

#include "core/base/printable.h"
#include "dist/coordinator/base/log.h"

namespace convoy::dist {

void take_over_grpc_log() {
  // gRPC calls an error what any caller with a wrong certificate brings about.
  gpr_set_log_function([](gpr_log_func_args* line) {
    log_from_outside(line->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kInfo : LogLevel::kDebug,
                     "gRPC: {}", printable(line->message));
  });
}

}  // namespace convoy::dist
