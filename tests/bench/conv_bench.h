// The three computations of a convolution of any shape, each alone.
#pragma once

#include <span>

#include "tests/bench/conv_shape.h"

namespace convoy::bench {

/// Adds the benchmarks NAME/forward, NAME/data and NAME/weight for each shape, on one thread.
void register_convolutions(std::span<const ConvShape> shapes);

}  // namespace convoy::bench
