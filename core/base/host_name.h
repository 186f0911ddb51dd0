// What this machine calls itself.
#pragma once

#include <string>

namespace convoy {

/// The name of this machine, as `hostname` prints it; "localhost" if it has none.
std::string host_name();

}  // namespace convoy
