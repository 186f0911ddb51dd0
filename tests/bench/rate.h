// How benchmarks say how fast they are: a counter of amounts per second.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>

#include "core/base/random.h"
#include "core/tensor/tensor.h"

namespace convoy::bench {

/// Reports `amount` of `unit` in each iteration, as `unit`/s: 1e9 operations as "GFLOP/s", say.
inline void report_rate(benchmark::State& state, const char* unit, double amount) {
  state.counters[unit] = benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
}

inline Tensor random_tensor(Shape shape) {
  Tensor tensor(shape);
  RandomSequence random({.seed = 1});
  std::ranges::generate(tensor.values(), [&] { return random.normal(); });
  return tensor;
}

}  // namespace convoy::bench
