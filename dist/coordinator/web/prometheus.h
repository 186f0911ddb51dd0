// What a coordinator knows, as numbers for Prometheus.
#pragma once

#include <string>

#include "dist/coordinator/coordinator.h"

namespace convoy::dist {

/// The text exposition format 0.0.4. Runs are counted by state; by itself appears each that has not
/// ended, and the newest that have, 100 in all: so the number of series stays bounded. Throws
/// Refusal.
std::string prometheus_text(const Coordinator& coordinator);

}  // namespace convoy::dist
