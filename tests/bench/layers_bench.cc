// Each layer of the tutorial's model at its place there, batch 32: forward, and backward for the
// input and the parameters. GFLOP/s count a multiply-add as two; compare them with the peak that
// `FmaPeak` measures in the same run, and with what the micro-kernel reaches in the cache.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>

#include "core/base/parallel.h"
#include "core/blis/brgemm.h"
#include "core/nn/conv2d.h"
#include "core/nn/linear.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/relu.h"
#include "tests/bench/rate.h"

namespace convoy::bench {
namespace {

constexpr std::int64_t kBatch = 32;

void report(benchmark::State& state, double flop) {
  if (flop > 0) {
    report_rate(state, "GFLOP/s", flop * 1e-9);
  }
}

void forward(benchmark::State& state, nn::Module& module, Shape input, double flop) {
  set_num_threads(1);
  const ParameterStore store(module.named_parameters(), 0);
  const Tensor x = random_tensor(input);
  Tape tape({.recording = false});
  for (auto _ : state) {
    benchmark::DoNotOptimize(module.forward(tape, x).value().data());
  }
  report(state, flop);
}

// `flop` is that of forward; backward for input and weights has twice as many.
void backward(benchmark::State& state, nn::Module& module, Shape input, double flop) {
  set_num_threads(1);
  const ParameterStore store(module.named_parameters(), 0);
  const Tensor x = random_tensor(input);
  const Tensor grad = random_tensor(module.output_shape(input));
  Tape tape;
  for (auto _ : state) {
    state.PauseTiming();
    const Variable y = module.forward(tape, tape.watch(x));
    state.ResumeTiming();
    tape.backward(y, grad);
  }
  report(state, 2 * flop);
}

void add(const std::string& name, std::shared_ptr<nn::Module> module, Shape input, double flop) {
  benchmark::RegisterBenchmark(
      (name + "/forward").c_str(),
      [=](benchmark::State& state) { forward(state, *module, input, flop); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark(
      (name + "/backward").c_str(),
      [=](benchmark::State& state) { backward(state, *module, input, flop); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_conv(std::int64_t in, std::int64_t out, std::int64_t side) {
  add(fmt::format("Conv2d_{}_{}@{}", in, out, side),
      std::make_shared<nn::Conv2d>(nn::Conv2dOptions{
          .in_channels = in, .out_channels = out, .kernel_size = 3, .padding = 1}),
      {kBatch, side, side, in}, 2.0 * kBatch * 9 * static_cast<double>(in * out * side * side));
}

void add_linear(std::int64_t in, std::int64_t out) {
  add(fmt::format("Linear_{}_{}", in, out),
      std::make_shared<nn::Linear>(nn::LinearOptions{.in_features = in, .out_features = out}),
      {kBatch, in}, 2.0 * kBatch * static_cast<double>(in * out));
}

void add_pool(std::int64_t channels, std::int64_t side, std::int64_t padding) {
  add(fmt::format("MaxPool2d_{}@{}", channels, side),
      std::make_shared<nn::MaxPool2d>(nn::MaxPool2dOptions{.kernel_size = 2, .padding = padding}),
      {kBatch, side, side, channels}, 0);
}

// A product that stays in the first-level cache: what the micro-kernel reaches at best.
void kernel_in_cache(benchmark::State& state) {
  const Tensor a = random_tensor({14, 64});
  const Tensor b = random_tensor({64, 32});
  Tensor c({14, 32});
  for (auto _ : state) {
    blis::brgemm_kernel()({.m = 14,
                           .n = 32,
                           .k = 64,
                           .a = a.data(),
                           .a_row_stride = 64,
                           .b = b.data(),
                           .b_row_stride = 32,
                           .c = c.data(),
                           .c_row_stride = 32});
  }
  report(state, 2.0 * 14 * 32 * 64);
}
BENCHMARK(kernel_in_cache)->Name("KernelInCache")->UseRealTime();

const bool kRegistered = [] {
  add_conv(1, 32, 28);
  add_conv(32, 64, 14);
  add_conv(64, 128, 7);
  add("ReLU_32@28", std::make_shared<nn::ReLU>(), {kBatch, 28, 28, 32}, 0);
  add_pool(32, 28, 0);
  add_pool(64, 14, 0);
  add_pool(128, 7, 1);
  add_linear(2048, 625);
  add_linear(625, 10);
  return true;
}();

}  // namespace
}  // namespace convoy::bench
