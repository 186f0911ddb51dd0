// Which gRPC this program is linked with. Implemented in grpc_version.cc.
#pragma once

#include <string>

namespace convoy::dist {

/// "1.51.1"
std::string grpc_version();

}  // namespace convoy::dist
