// From a model file to layers: the file's words become options of core/nn, its sizes come from the
// data.
#pragma once

#include <cstdint>
#include <memory>

#include "core/nn/precision.h"
#include "core/nn/sequential.h"
#include "core/tensor/shape.h"
#include "launcher/model_file.h"

namespace convoy::launcher {

/// Bytes of main memory of this machine.
std::uint64_t machine_memory_bytes();

struct BuildOptions {
  /// What training may need: parameters with gradients and two moments of Adam, and all layers'
  /// outputs for one batch.
  std::uint64_t memory_bytes = machine_memory_bytes();
  nn::Precision precision = nn::Precision::kFloat32;
};

/// The layers of `spec` for batches of shape `batch` (N, H, W, C) and data of `classes` classes.
/// Allocates nothing that grows with their sizes. Throws Error, with file, line, layer and numbers,
/// where a layer does not fit what arrives at it, where the last one does not give one number per
/// class, where training would need more memory than there is, and
/// for a precision that this CPU does not have.
///
/// A dropout layer's random numbers are told apart by its position in the model.
std::unique_ptr<nn::Sequential> build_model(const ModelSpec& spec, const Shape& batch, int classes,
                                            const BuildOptions& options = {});

}  // namespace convoy::launcher
