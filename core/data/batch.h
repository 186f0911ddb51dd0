// Makes the tensors of a batch from the ids of its images.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/data/augment.h"
#include "core/data/dataset.h"
#include "core/tensor/tensor.h"

namespace convoy::data {

/// What a training step eats.
struct Batch {
  Tensor images = {};                     ///< (N, H, W, C)
  std::vector<std::uint8_t> labels = {};  ///< N
};

struct BatchOptions {
  bool raw_pixels = false;      ///< pixels 0..255 instead of 0..1
  AugmentOptions augment = {};  ///< the default leaves images as they are
  std::uint64_t seed = 0;       ///< of the augmentation
};

/// Gathers batches out of a data set, which must outlive it. Images are worked on by parallel_for;
/// their pixels depend on (seed, epoch, id), not on thread, rank or place in the batch. From the
/// second batch of a size on nothing is allocated. Not thread safe.
class BatchLoader {
 public:
  BatchLoader(const Dataset& dataset, const BatchOptions& options);

  /// Fills `batch` with the images `ids`, as `epoch` sees them. An empty `ids` gives N = 0. Throws
  /// Error for an id outside the data set. Tensors taken from `batch` earlier are left alone.
  void load(std::span<const std::int64_t> ids, std::int64_t epoch, Batch& batch) const;

  const Dataset& dataset() const { return dataset_; }

 private:
  const Dataset& dataset_;
  BatchOptions options_;
  std::optional<Augmenter> augmenter_;
};

}  // namespace convoy::data
