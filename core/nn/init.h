// First values of parameters. https://pytorch.org/docs/1.13/nn.init.html
#pragma once

#include <cstdint>

#include "core/autograd/parameter.h"

namespace convoy::nn {

/// Connections into one output and out of one input: for a convolution in_channels / groups * R * S
/// and out_channels * R * S (PyTorch's definition, which does not divide by groups).
struct Fan {
  std::int64_t in = 1;
  std::int64_t out = 1;
};

/// U(-a, a) with a = gain * sqrt(6 / (fan_in + fan_out)). Glorot and Bengio, AISTATS 2010.
Initializer xavier_uniform(Fan fan, double gain = 1.0);
/// N(0, std^2) with std = gain * sqrt(2 / (fan_in + fan_out)).
Initializer xavier_normal(Fan fan, double gain = 1.0);
/// U(-b, b) with b = gain * sqrt(3 / fan_in), gain = sqrt(2 / (1 + a^2)). He et al., ICCV 2015.
Initializer kaiming_uniform(Fan fan, double a = 0.0);
/// N(0, std^2) with std = gain / sqrt(fan_in).
Initializer kaiming_normal(Fan fan, double a = 0.0);
/// U(-bound, bound).
Initializer uniform(double bound);
Initializer constant(float number);

}  // namespace convoy::nn
