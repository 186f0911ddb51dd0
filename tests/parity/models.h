// The models of the training tests, as a convoy user writes them. models.py has the same.
#pragma once

#include <memory>

#include "core/nn/sequential.h"

namespace convoy::parity {

/// The network of the PyTorch MNIST tutorial that convoy trains by default; input (N, 28, 28, 1).
std::unique_ptr<nn::Sequential> tutorial_model();

/// What the tutorial lacks: batch norm, average pooling, groups, stride; input (N, 10, 14, 3).
std::unique_ptr<nn::Sequential> small_model();

/// Draws first values: weights within +-1/sqrt(inputs of an output), scales of norms within 0.1 of
/// 1, everything else within 0.1 of 0.
void fill(ParameterStore& store);

}  // namespace convoy::parity
