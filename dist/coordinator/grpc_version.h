// Which gRPC this program is linked with.
#pragma once

#include <string>

namespace convoy::dist {

/// "1.51.1"
std::string grpc_version();

}  // namespace convoy::dist
