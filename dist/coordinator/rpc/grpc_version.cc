#include "dist/coordinator/rpc/rpc_version.h"

#include <grpcpp/grpcpp.h>

namespace convoy::dist {

std::string grpc_version() {
  return grpc::Version();
}

}  // namespace convoy::dist
