#include "tests/bench/bench_main.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/base/check.h"

namespace convoy::bench {

int bench_main(int argc, char** argv, const std::function<void(std::span<const ConvShape>)>& add) {
  try {
    benchmark::Initialize(&argc, argv);
    add(conv_shapes({argv + 1, argv + argc}));
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 2;
  }
}

}  // namespace convoy::bench
