// Reads the IDX format of http://yann.lecun.com/exdb/mnist/, plain or gzipped:
//
//   file    := content | gzip(content)           told apart by gzip's magic 1f 8b, not by name
//   content := 00 00 type rank extent{rank} element{product of extents}     and nothing after it
//   type    := 08                                unsigned byte, the only one read here
//   rank    := 03 for images (count, height, width) | 01 for labels (count)
//   extent  := 32-bit unsigned integer, big-endian
//
// Everything is checked before memory is allocated for it. Errors give file, offset, what was
// expected, what was found, the likely cause and the next command.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/data/dataset.h"

namespace convoy::data {

struct IdxImages {
  std::int64_t count = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> pixels = {};       ///< count x height x width, row-major
  std::shared_ptr<const PixelFile> file = {};  ///< in place of `pixels`, if left on disk
};

/// An extent beyond these is refused: images 2^31, height and width 2^14, 2^33 bytes in all.
inline constexpr std::uint32_t kMaxIdxCount = std::uint32_t{1} << 31;
inline constexpr std::uint32_t kMaxIdxSide = std::uint32_t{1} << 14;
inline constexpr std::uint64_t kMaxIdxBytes = std::uint64_t{1} << 33;

/// The content of a whole file; `name` is for messages. Throws Error for anything the grammar
/// above or the limits exclude.
IdxImages parse_idx_images(std::span<const std::uint8_t> file, const std::string& name);
/// The same for labels, each of which has to be below `classes`.
std::vector<std::uint8_t> parse_idx_labels(std::span<const std::uint8_t> file,
                                           const std::string& name, int classes);

/// A file's images, for example to predict what they show. Throws Error.
IdxImages read_idx_images(const std::filesystem::path& path);
/// The same, but what a plain file holds is checked and left there; a gzipped one has no other
/// place to be unpacked to than memory.
IdxImages open_idx_images(const std::filesystem::path& path);
std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& path, int classes);

/// The images and labels of one split from a folder that holds the files under their usual names,
/// train-images-idx3-ubyte and so on (t10k- for the test split), also with a dot for the second
/// hyphen, each plain or .gz; plain images are left on disk. `name`, as "mnist", is for messages.
/// Throws Error, among others if the two counts differ.
Dataset load_idx_dataset(const std::filesystem::path& dir, Split split, const std::string& name,
                         std::vector<std::string> class_names);

}  // namespace convoy::data
