#include "tests/bench/conv_bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "core/base/parallel.h"
#include "core/nn/conv2d_passes.h"
#include "core/nn/conv2d_pooled.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/max_pool2d_kernel.h"
#include "core/tensor/pool_array.h"
#include "tests/bench/rate.h"

namespace convoy::bench {
namespace {

nn::Conv2dOptions options_of(const ConvShape& s) {
  return {.in_channels = s.c,
          .out_channels = s.k,
          .kernel_size = s.kernel,
          .stride = s.stride,
          .padding = s.padding};
}

nn::ConvGeometry geometry_of(const ConvShape& s) {
  return nn::geometry(options_of(s), {s.n, s.side, s.side, s.c});
}

// A pooling as in the tutorial's network.
nn::PoolGeometry pool_behind(const nn::ConvGeometry& g) {
  return nn::MaxPool2d({.kernel_size = 2, .padding = g.p % 2}).geometry({g.n, g.p, g.q, g.k});
}

// A layer with all that its gradients are computed from.
struct Convolution {
  explicit Convolution(const ConvShape& s)
      : layer(options_of(s)),
        store(layer.named_parameters(), 0),
        x(random_tensor({s.n, s.side, s.side, s.c})),
        geometry(geometry_of(s)),
        input(nn::conv_input(geometry, x)),
        grad_y(random_tensor(layer.output_shape(x.shape()))),
        grad_x(x.shape()),
        pool(pool_behind(geometry)),
        pooled_gradient({geometry.n, pool.p, pool.q, geometry.k}),
        winners(pooled_gradient.elements()) {
    // On MNIST half of the winners have no gradient at first, four of five after an epoch.
    std::ranges::transform(random_tensor(pooled_gradient.shape()).values(), pooled_gradient.data(),
                           [](float value) { return std::max(value, 0.0F); });
    Tensor pooled(pooled_gradient.shape());
    nn::max_pool2d_forward_kernel()(pool, grad_y.data(), pooled.data(), winners.data(), 0,
                                    geometry.n * pool.p);
  }

  nn::PooledGradient pooled() const { return {geometry, pool, pooled_gradient, winners.data()}; }

  nn::Conv2d layer;
  ParameterStore store;
  Tensor x;
  nn::ConvGeometry geometry;
  Tensor input;
  Tensor grad_y;
  Tensor grad_x;
  nn::PoolGeometry pool;
  Tensor pooled_gradient;
  PoolArray<std::uint8_t> winners;
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
      nn::ConvWeightGradient gradient(c.geometry, c.layer.weight().grad());
      gradient.run(c.input, c.grad_y);
      gradient.finish();
      benchmark::ClobberMemory();
    });
    // As training does it where a max-pooling follows.
    const nn::ConvGeometry g = geometry_of(shape);
    if (nn::pooled_data_fits(g, pool_behind(g))) {
      add(shape.name() + "/pooled_data", shape, [](Convolution& c) {
        nn::pooled_backward_data(c.pooled(), c.layer.weight().value(), c.grad_x);
        benchmark::ClobberMemory();
      });
    }
    if (nn::pooled_weight_fits(g, pool_behind(g))) {
      add(shape.name() + "/pooled_weight", shape, [](Convolution& c) {
        nn::pooled_backward_weight(c.pooled(), c.input, c.layer.weight().grad());
        benchmark::ClobberMemory();
      });
    }
  }
}

}  // namespace convoy::bench
