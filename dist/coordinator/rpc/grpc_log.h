// Only for dist/coordinator/rpc/grpc_*.
#pragma once

namespace convoy::dist {

/// Sends what gRPC itself says, which strangers can cause at will, through log.h. Once per process.
void take_over_grpc_log();

}  // namespace convoy::dist
