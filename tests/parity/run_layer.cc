#include "tests/parity/run_layer.h"

#include "core/base/check.h"
#include "tests/parity/torch_order.h"

namespace convoy::parity {
namespace {

Tensor drawn(Shape shape, const Draw& draw, std::uint32_t sequence) {
  Tensor tensor(shape);
  from_torch(tensor, draw(sequence, tensor.elements()));
  return tensor;
}

}  // namespace

LayerResult run_layer(nn::Module& layer, Shape shape, const std::vector<bool>& training,
                      const Draw& draw) {
  const ParameterStore store(layer.named_parameters(), /*seed=*/0);
  for (std::uint32_t i = 0; Parameter * parameter : store.parameters()) {
    if (parameter->trainable()) {
      const std::int64_t elements = parameter->shape().elements();
      from_torch(parameter->value(), draw(kParameter + i++, elements), parameter->layout());
    }
  }
  LayerResult result;
  for (std::uint32_t sequence = 0; const bool train : training) {
    Tape tape({.recording = true, .training = train});
    const Variable x = tape.watch(drawn(shape, draw, kInput + sequence));
    const Variable y = layer.forward(tape, x);
    check(y.shape() == layer.output_shape(shape), "forward gives {} where output_shape says {}",
          y.shape().str(), layer.output_shape(shape).str());
    result.output_shape = y.shape();
    result.output = to_torch(y.value());
    tape.backward(y, drawn(y.shape(), draw, kGradOutput + sequence));
    result.input_gradient = to_torch(tape.grad(x));
    sequence += kStep;
  }
  for (Parameter* parameter : store.parameters()) {
    if (parameter->trainable()) {
      result.gradients[parameter->name()] = to_torch(parameter->grad(), parameter->layout());
    } else {
      result.buffers[parameter->name()] = to_torch(parameter->value(), parameter->layout());
    }
  }
  return result;
}

}  // namespace convoy::parity
