#include "tests/bench/conv_bench.h"

#include <benchmark/benchmark.h>

#include <functional>
#include <memory>

#include "core/base/parallel.h"
#include "core/nn/conv2d_passes.h"
#include "tests/bench/rate.h"

namespace convoy::bench {
namespace {

// A layer with all that its gradients are computed from.
struct Convolution {
  explicit Convolution(const ConvShape& s)
      : layer({.in_channels = s.c,
               .out_channels = s.k,
               .kernel_size = s.kernel,
               .stride = s.stride,
               .padding = s.padding}),
        store(layer.named_parameters(), 0),
        x(random_tensor({s.n, s.side, s.side, s.c})),
        geometry(nn::geometry(layer.options(), x.shape())),
        input(nn::conv_input(geometry, x)),
        grad_y(random_tensor(layer.output_shape(x.shape()))),
        grad_x(x.shape()) {}

  nn::Conv2d layer;
  ParameterStore store;
  Tensor x;
  nn::ConvGeometry geometry;
  Tensor input;
  Tensor grad_y;
  Tensor grad_x;
};

// Kept from one benchmark to the next of the same shape: random images take their time.
Convolution& convolution_of(const ConvShape& shape) {
  static std::unique_ptr<Convolution> convolution;
  static ConvShape of;
  if (!convolution || of != shape) {
    convolution = std::make_unique<Convolution>(shape);
    of = shape;
  }
  return *convolution;
}

void add(const std::string& name, const ConvShape& shape,
         const std::function<void(Convolution&)>& compute) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    set_num_threads(1);
    Convolution& convolution = convolution_of(shape);
    compute(convolution);  // what is allocated once, before the clock runs
    for (auto _ : state) {
      compute(convolution);
    }
    report_rate(state, "GFLOP/s", shape.flop() * 1e-9);
  })->UseRealTime();
}

}  // namespace

void register_convolutions(std::span<const ConvShape> shapes) {
  for (const ConvShape& shape : shapes) {
    // With padding and bias, as the layer does it.
    add(shape.name() + "/forward", shape, [](Convolution& c) {
      Tape tape = Tape::evaluation();
      benchmark::DoNotOptimize(c.layer.forward(tape, c.x).value().data());
    });
    add(shape.name() + "/data", shape, [](Convolution& c) {
      nn::ConvDataGradient(c.geometry, c.layer.weight().value()).run(c.grad_y, c.grad_x);
      benchmark::ClobberMemory();
    });
    add(shape.name() + "/weight", shape, [](Convolution& c) {
      // The weight's alone, as oneDNN's primitive beside it.
      nn::conv_backward_weight(c.geometry, c.input, c.grad_y, c.layer.weight().grad());
      benchmark::ClobberMemory();
    });
  }
}

}  // namespace convoy::bench
