// gRPC, in a program that is built with it.
#include "dist/coordinator/rpc/rpc_version.h"
#include "launcher/doctor_probe.h"

namespace convoy::launcher {

std::string probe_grpc() {
  return dist::grpc_version();
}

}  // namespace convoy::launcher
