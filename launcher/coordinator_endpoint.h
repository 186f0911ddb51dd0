// What the command line and the environment say of reaching a coordinator, as its client takes it.
#pragma once

#include "dist/coordinator/net/endpoint.h"
#include "launcher/coordinator_options.h"

namespace convoy::launcher {

/// The token in `file`, or without one $CONVOY_COORDINATOR_TOKEN, or none. Throws Error.
dist::Token token_from(const std::filesystem::path& file);

/// Throws Error for files that cannot be read, and for a certificate without its key. Says on
/// stderr if the token will go beyond this machine without TLS.
dist::Endpoint endpoint_of(const ConnectionOptions& options);

}  // namespace convoy::launcher
