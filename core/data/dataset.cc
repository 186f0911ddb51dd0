#include "core/data/dataset.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace convoy::data {

std::string_view split_name(Split split) {
  return split == Split::kTrain ? "train" : "test";
}

Dataset::Dataset(Options options) : options_(std::move(options)) {
  const Options& o = options_;
  check(o.height >= 1 && o.width >= 1 && o.channels >= 1,
        "{}: images of {} x {} pixels with {} channels; each must be at least 1", o.name, o.height,
        o.width, o.channels);
  check(!o.labels.empty(), "{}: no images", o.name);
  // Divides instead of multiplying, so that no extents can overflow.
  const auto images = static_cast<std::int64_t>(o.labels.size());
  const auto bytes = static_cast<std::int64_t>(o.file ? o.file->bytes() : o.pixels.size());
  check(bytes % images == 0 && bytes / images % o.height == 0 &&
            bytes / images / o.height % o.width == 0 &&
            bytes / images / o.height / o.width == o.channels,
        "{}: {} labels of images of {} x {} x {} bytes, but {} bytes of pixels", o.name, images,
        o.height, o.width, o.channels, bytes);
  const auto wrong = std::find_if(o.labels.begin(), o.labels.end(), [&](std::uint8_t label) {
    return label >= o.class_names.size();
  });
  check(wrong == o.labels.end(), "{}: image {} has label {}, but there are {} classes", o.name,
        wrong - o.labels.begin(), wrong == o.labels.end() ? 0 : *wrong, o.class_names.size());
}

std::span<const std::uint8_t> Dataset::image(std::int64_t id, std::span<std::uint8_t> room) const {
  const auto bytes = static_cast<std::size_t>(image_bytes());
  const auto first = static_cast<std::size_t>(id) * bytes;
  if (!options_.file) {
    return std::span(options_.pixels).subspan(first, bytes);
  }
  options_.file->read(first, room.first(bytes));
  return room.first(bytes);
}

std::vector<std::uint8_t> Dataset::image(std::int64_t id) const {
  std::vector<std::uint8_t> room(static_cast<std::size_t>(image_bytes()));
  const std::span<const std::uint8_t> pixels = image(id, room);
  return {pixels.begin(), pixels.end()};
}

void Dataset::each_piece(const std::function<void(std::span<const std::uint8_t>)>& sink) const {
  if (!options_.file) {
    sink(options_.pixels);
    return;
  }
  constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 18;
  std::vector<std::uint8_t> piece;
  for (std::uint64_t done = 0; done < options_.file->bytes(); done += piece.size()) {
    piece.resize(std::min(kPieceBytes, options_.file->bytes() - done));
    options_.file->read(done, piece);
    sink(piece);
  }
}

}  // namespace convoy::data
