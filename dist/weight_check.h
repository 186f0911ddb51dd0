// Finds a rank whose weights have drifted from the others', which training by itself never notices:
// it would go on, and slowly get worse.
#pragma once

#include <cstdint>

#include "core/autograd/parameter.h"
#include "dist/communicator.h"

namespace convoy::dist {

/// Compares all parameters and buffers bit by bit, by a 64-bit hash of each, over all ranks; a
/// collective. Throws Error on every rank, with the same text, unless they are equal: `step`, the
/// ranks that differ from what most have, and the first parameter in which each does. About a
/// millisecond for a million parameters.
void check_weights(Communicator& communicator, const ParameterStore& store, std::int64_t step);

}  // namespace convoy::dist
