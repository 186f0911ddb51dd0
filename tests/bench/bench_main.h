// The main function of the programs that measure convolutions of given shapes.
#pragma once

#include <functional>
#include <span>

#include "tests/bench/conv_shape.h"

namespace convoy::bench {

/// Reads Google Benchmark's flags, then shapes; has `add` register benchmarks for these, and runs
/// all. The exit code: 2, with a line on stderr, for an argument that is neither.
int bench_main(int argc, char** argv, const std::function<void(std::span<const ConvShape>)>& add);

}  // namespace convoy::bench
