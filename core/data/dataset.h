// Labelled images, in memory or on disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/pixel_file.h"
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
    std::vector<std::uint8_t> pixels = {};       ///< images one after the other, H,W,C each
    std::shared_ptr<const PixelFile> file = {};  ///< in place of `pixels`, unless empty
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
  /// The pixels of an image, where they lie or read into `room`, of image_bytes(). Throws Error if
  /// they cannot be read.
  std::span<const std::uint8_t> image(std::int64_t id, std::span<std::uint8_t> room) const;
  /// A copy of them.
  std::vector<std::uint8_t> image(std::int64_t id) const;
  std::uint8_t label(std::int64_t id) const {
    return options_.labels[static_cast<std::size_t>(id)];
  }
  /// Gives the pixels of all images in order, in pieces of any size. Throws Error if they cannot be
  /// read.
  void each_piece(const std::function<void(std::span<const std::uint8_t>)>& sink) const;
  std::span<const std::uint8_t> labels() const { return options_.labels; }
  const std::vector<std::string>& class_names() const { return options_.class_names; }
  int classes() const { return static_cast<int>(options_.class_names.size()); }

 private:
  Options options_;
};

}  // namespace convoy::data
