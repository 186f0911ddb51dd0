// What this machine can do at best, to compare with: multiply-adds of one core, in float32 and
// bf16, and bytes copied; and the Adam step, beside such bytes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>

#include "core/base/parallel.h"
#include "core/blis/bf16.h"
#include "core/optim/adam.h"
#include "core/tensor/pool_array.h"
#include "tests/bench/peak_kernel.h"
#include "tests/bench/rate.h"

namespace convoy::bench {
namespace {

constexpr std::int64_t kParameters = 1'400'000;  // about as many as the tutorial's network has
constexpr double kBytes = kParameters * sizeof(float);

void fma_peak(benchmark::State& state) {
  FmaChains chains{.rounds = 10'000};
  for (auto _ : state) {
    fma_chains_kernel()(chains);
    benchmark::DoNotOptimize(chains.sum);
  }
  report_rate(state, "GFLOP/s", chains.flop * 1e-9 / static_cast<double>(state.iterations()));
}
BENCHMARK(fma_peak)->Name("FmaPeak")->UseRealTime();

// What products in bf16 reach that need nothing from beyond the first-level cache.
void bf16_peak(benchmark::State& state) {
  constexpr std::int64_t kSide = 32;
  constexpr std::int64_t kPairs = 128;
  PoolArray<blis::Bf16> a(kSide * 2 * kPairs);
  PoolArray<blis::Bf16> b(kPairs * 2 * kSide);
  std::ranges::fill(a.values(), blis::Bf16{0x3f80});  // 1
  std::ranges::fill(b.values(), blis::Bf16{0x3f80});
  Tensor c({kSide, kSide});
  const blis::Bf16Product product{.m = kSide,
                                  .n = kSide,
                                  .pairs = kPairs,
                                  .batch = 100,
                                  .a = a.data(),
                                  .a_row_stride = 2 * kPairs,
                                  .b = b.data(),
                                  .b_pair_stride = 2 * kSide,
                                  .c = c.data(),
                                  .c_row_stride = kSide};
  for (auto _ : state) {
    blis::bf16_multiply(product);
    benchmark::DoNotOptimize(c.data());
  }
  constexpr double kFlop = 2.0 * kSide * kSide * 2 * kPairs;
  report_rate(state, "GFLOP/s", kFlop * static_cast<double>(product.batch) * 1e-9);
}
[[maybe_unused]] const bool kRegistered = [] {
  if (blis::bf16_supported()) {
    benchmark::RegisterBenchmark("Bf16Peak", bf16_peak)->UseRealTime();
  }
  return true;
}();

// From one half of as much memory as Adam works on to the other: it lies in the same caches.
template <typename Copy>
void copy(benchmark::State& state, const Copy& copy_all) {
  const Tensor from = random_tensor({2 * kParameters});
  Tensor to({2 * kParameters});
  to.fill(0);  // its pages exist from here on
  for (auto _ : state) {
    copy_all(from.data(), to.data());
    benchmark::ClobberMemory();
  }
  report_rate(state, "GB/s", 4 * kBytes * 1e-9);
}
BENCHMARK_CAPTURE(copy, memcpy,
                  [](const float* from, float* to) {
                    std::memcpy(to, from, static_cast<std::size_t>(2 * kBytes));
                  })
    ->Name("Copy/memcpy")
    ->UseRealTime();
BENCHMARK_CAPTURE(copy, registers,
                  [](const float* from, float* to) {
                    copy_floats_kernel()(from, to, 2 * kParameters);
                  })
    ->Name("Copy/registers")
    ->UseRealTime();

// Reads gradients, both moments and values, writes all but the gradients.
void adam(benchmark::State& state) {
  set_num_threads(1);
  Tensor values = random_tensor({kParameters});
  const Tensor gradients = random_tensor({kParameters});
  optim::Adam optimizer(kParameters);
  const auto step = [&] {
    optimizer.begin_step();
    optimizer.update(values.values(), gradients.values(), 0, {.lr = 1e-3});
  };
  step();
  for (auto _ : state) {
    step();
  }
  report_rate(state, "GB/s", 7 * kBytes * 1e-9);
}
BENCHMARK(adam)->Name("Adam")->UseRealTime();

}  // namespace
}  // namespace convoy::bench
