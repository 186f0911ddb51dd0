#include "tests/support/layer_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/parallel.h"

namespace convoy::testing {

LayerRun run_layer(nn::Module& module, const Tensor& x, const LayerRunOptions& options) {
  for (const NamedParameter& named : module.named_parameters()) {
    if (named.parameter->trainable()) {
      named.parameter->grad().fill(0.0F);
    }
  }
  Tape tape({.recording = true, .training = options.training});
  tape.begin_step(options.context);
  const Variable watched = tape.watch(x);
  const Variable y = module.forward(tape, watched);
  tape.backward(y, options.grad_output);
  LayerRun run{.shape = y.shape(),
               .output = copy_of(y.value()),
               .input_gradient = copy_of(tape.grad(watched)),
               .parameter_gradients = {}};
  for (const NamedParameter& named : module.named_parameters()) {
    if (named.parameter->trainable()) {
      run.parameter_gradients.push_back(copy_of(named.parameter->grad()));
    }
  }
  return run;
}

Tensor random_tensor(Shape shape, std::uint64_t seed) {
  Tensor tensor(shape);
  RandomSequence random({.seed = seed, .stream = Stream::kSynthetic});
  std::ranges::generate(tensor.values(), [&] { return random.normal(); });
  return tensor;
}

Tensor whole_numbers(Shape shape, std::uint64_t seed) {
  Tensor tensor(shape);
  RandomSequence random({.seed = seed, .stream = Stream::kSynthetic});
  std::ranges::generate(tensor.values(), [&] { return std::floor(random.uniform(-3.0F, 4.0F)); });
  return tensor;
}

void expect_bits_do_not_depend_on_threads(nn::Module& module, const Tensor& x,
                                          const Tensor& grad_output) {
  const int before = num_threads();
  std::vector<LayerRun> runs;
  std::vector<std::vector<float>> buffers;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const ParameterStore store(module.named_parameters(), 5);
    runs.push_back(run_layer(module, x, {.grad_output = grad_output}));
    std::vector<float>& all = buffers.emplace_back();
    for (const Parameter* parameter : store.parameters()) {
      const std::vector<float> values = copy_of(parameter->value());
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  set_num_threads(before);
  for (std::size_t i : {1, 2}) {
    EXPECT_TRUE(runs[0] == runs[i]) << i + 1 << " threads give other numbers than 1";
    EXPECT_TRUE(buffers[0] == buffers[i]) << i + 1 << " threads give other buffers than 1";
  }
}

void expect_bits_do_not_depend_on_threads(nn::Module& module, Shape input) {
  expect_bits_do_not_depend_on_threads(module, random_tensor(input, 1),
                                       random_tensor(module.output_shape(input), 2));
}

std::vector<float> copy_of(const Tensor& tensor) {
  return {tensor.values().begin(), tensor.values().end()};
}

}  // namespace convoy::testing
