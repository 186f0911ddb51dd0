// Layers as the fixtures name them.
#pragma once

#include <memory>
#include <string>

#include "core/nn/module.h"
#include "tests/parity/fixture.h"

namespace convoy::parity {

/// A layer by its name and its constructor's arguments in torch.nn; what `options` does not say has
/// the layer's own default. Throws what the layer's constructor throws.
std::unique_ptr<nn::Module> make_layer(const std::string& kind, const Json& options);

}  // namespace convoy::parity
