// One layer of a model file as a layer of core/nn.
#pragma once

#include <memory>

#include "convoy/v1/model.pb.h"
#include "core/nn/module.h"
#include "core/nn/precision.h"

namespace convoy::launcher {

struct LayerContext {
  int position = 0;  ///< in the model: tells the random numbers of dropout layers apart
  nn::Precision precision = nn::Precision::kFloat32;
};

/// What `layer` describes, for an input of shape `x`. Throws Error, with the numbers but without
/// the layer's name, for an input or options that the layer cannot work with. REQUIRES: check_rules
/// took the layer.
std::unique_ptr<nn::Module> make_layer(const v1::Layer& layer, const Shape& x,
                                       const LayerContext& context);

}  // namespace convoy::launcher
