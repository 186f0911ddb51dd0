// Labelled images in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/shape.h"

namespace convoy::data {

enum class Split { kTrain, kTest };

/// "train" or "test".
std::string_view split_name(Split split);

/// Grey or colour images of one size, a byte per channel, with a class each. Immutable once built,
/// so any number of threads may read it.
class Dataset {
 public:
  struct Options {
    std::string name = {};  ///< "mnist/train", for messages
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t channels = 1;
    std::vector<std::uint8_t> pixels = {};  ///< images one after the other, H,W,C each
    std::vector<std::uint8_t> labels = {};
    std::vector<std::string> class_names = {};
  };

  /// Throws Error if counts do not fit together or a label has no class name.
  explicit Dataset(Options options);

  const std::string& name() const { return options_.name; }
  std::int64_t size() const { return static_cast<std::int64_t>(options_.labels.size()); }
  /// (count, H, W, C) of a batch of `count` images.
  Shape batch_shape(std::int64_t count) const {
    return {count, options_.height, options_.width, options_.channels};
  }
  std::int64_t image_bytes() const { return options_.height * options_.width * options_.channels; }
  std::span<const std::uint8_t> image(std::int64_t id) const {
    return std::span(options_.pixels)
        .subspan(static_cast<std::size_t>(id * image_bytes()),
                 static_cast<std::size_t>(image_bytes()));
  }
  std::uint8_t label(std::int64_t id) const {
    return options_.labels[static_cast<std::size_t>(id)];
  }
  /// Of all images, one after the other.
  std::span<const std::uint8_t> pixels() const { return options_.pixels; }
  std::span<const std::uint8_t> labels() const { return options_.labels; }
  const std::vector<std::string>& class_names() const { return options_.class_names; }
  int classes() const { return static_cast<int>(options_.class_names.size()); }

 private:
  Options options_;
};

}  // namespace convoy::data
