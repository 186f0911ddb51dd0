// What a person sees before training: the data and the model, as plain text tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/data/dataset.h"
#include "core/nn/sequential.h"
#include "core/tensor/shape.h"

namespace convoy::launcher {

/// "[128, 4, 4]" or "[2048]": the shape of one image or row of a batch, in PyTorch's order C,H,W.
std::string image_str(const Shape& batch);

/// Floating-point operations of a forward pass through `layer` for one image of shape `x`
/// (1, H, W, C) or (1, features): two for each multiplication of a Conv2d or Linear with the
/// addition that follows it. The rest costs memory traffic rather than arithmetic and counts as 0.
double forward_flop(const nn::Module& layer, const Shape& x);

/// Name, images, size and classes of both halves; `digest` (of the files, say) is left out if "".
std::string data_summary(const data::Dataset& train, const data::Dataset& test,
                         std::string_view digest = "");

/// One line per layer with its output shape, parameters that are learned and MFLOP of a forward
/// pass per image; then the totals. `batch` is (N, H, W, C), any N.
std::string model_summary(std::string_view name, nn::Sequential& model, const Shape& batch);

}  // namespace convoy::launcher
