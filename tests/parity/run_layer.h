// Runs one layer on drawn numbers, as layers.py does with torch.nn.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/nn/module.h"
#include "tests/parity/synthetic.h"

namespace convoy::parity {

/// All in PyTorch's order, but for the shape.
struct LayerResult {
  Shape output_shape;
  std::vector<float> output;
  std::vector<float> input_gradient;
  std::map<std::string, std::vector<float>> gradients;
  std::map<std::string, std::vector<float>> buffers;
};

/// Steps one after the other, training (true) or evaluating (false), on inputs of `shape`: the last
/// step's output and input gradient, the parameters' gradients summed over the steps, the buffers.
/// `draw` makes every number. The layer gets a ParameterStore of its own. Throws what it throws.
LayerResult run_layer(nn::Module& layer, Shape shape, const std::vector<bool>& training,
                      const Draw& draw);

}  // namespace convoy::parity
