#include "core/data/idx.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/check.h"
#include "core/data/byte_source.h"

namespace convoy::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kImagesMagic = 0x00000803;
constexpr std::uint32_t kLabelsMagic = 0x00000801;
constexpr std::uint64_t kMaxFileBytes = kMaxIdxBytes + 16;
constexpr const char* kAdvice = "Fetch it again (MNIST: deploy/fetch-mnist).";

std::uint32_t read_uint32(ByteSource& source, const std::string& name, int offset) {
  std::array<std::uint8_t, 4> bytes{};
  const std::size_t got = source.read(bytes);
  check(got == bytes.size(),
        "{}: truncated: the IDX header needs 4 bytes at offset {}, {} are there. "
        "An interrupted download? {}",
        name, offset, got, kAdvice);
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
         (std::uint32_t{bytes[2]} << 8) | bytes[3];
}

void check_magic(std::uint32_t magic, std::uint32_t expected, const std::string& name) {
  if (magic == expected) {
    return;
  }
  check(magic != kLabelsMagic,
        "{}: this is a label file (magic {} at offset 0, {} expected). "
        "Were images and labels swapped? Exchange the two files' names.",
        name, magic, expected);
  check(magic != kImagesMagic,
        "{}: this is an image file (magic {} at offset 0, {} expected). "
        "Were images and labels swapped? Exchange the two files' names.",
        name, magic, expected);
  check((magic >> 16) == 0,
        "{}: not an IDX file: it begins with {:08x}, {:08x} expected. "
        "An error page saved under this name? {}",
        name, magic, expected, kAdvice);
  check(((magic >> 8) & 0xff) == 0x08,
        "{}: IDX elements of type {:02x} at offset 2; only unsigned bytes (08) can be read. "
        "Convert the file to bytes.",
        name, (magic >> 8) & 0xff);
  fail("{}: an IDX file of rank {} (offset 3); rank {} expected. Is it the right file?", name,
       magic & 0xff, expected & 0xff);
}

// Reads the header; the extents that the format does not have for this magic are 1.
std::array<std::uint32_t, 3> read_header(ByteSource& source, std::uint32_t magic,
                                         const std::string& name) {
  constexpr std::array<const char*, 3> kNames = {"count", "height", "width"};
  constexpr std::array<std::uint32_t, 3> kLimits = {kMaxIdxCount, kMaxIdxSide, kMaxIdxSide};
  check_magic(read_uint32(source, name, 0), magic, name);
  std::array<std::uint32_t, 3> extents = {1, 1, 1};
  for (std::size_t axis = 0; axis < (magic & 0xff); ++axis) {
    const int offset = 4 + 4 * static_cast<int>(axis);
    extents[axis] = read_uint32(source, name, offset);
    check(extents[axis] >= 1 && extents[axis] <= kLimits[axis],
          "{}: {} {} at offset {}; between 1 and {} expected. A damaged header? {}", name,
          kNames[axis], extents[axis], offset, kLimits[axis], kAdvice);
  }
  return extents;
}

void check_promise(const ByteSource& source, std::uint64_t bytes, int offset,
                   const std::string& name) {
  check(bytes <= kMaxIdxBytes, "{}: the header promises {} bytes; at most {} can be read. {}", name,
        bytes, kMaxIdxBytes, kAdvice);
  // What the file cannot hold is not allocated; this is also what stops a gzip bomb's claims.
  check(bytes <= source.at_most(),
        "{}: truncated: after offset {} the header promises {} bytes, {}{} are there. "
        "An interrupted download? {}",
        name, offset, bytes, source.gzipped() ? "at most " : "", source.at_most(), kAdvice);
}

// `there`: how many bytes follow those of the header's promise, as far as is known.
void check_end(std::uint64_t there, std::uint64_t bytes, int offset, const std::string& name) {
  check(there == 0,
        "{}: too long: the header promises {} bytes, so the file should end at offset {}, "
        "but more follow. Two files joined? {}",
        name, bytes, static_cast<std::uint64_t>(offset) + bytes, kAdvice);
}

std::vector<std::uint8_t> read_elements(ByteSource& source, std::uint64_t bytes, int offset,
                                        const std::string& name) {
  check_promise(source, bytes, offset, name);
  std::vector<std::uint8_t> elements(bytes);
  const std::size_t got = source.read(elements);
  check(got == bytes,
        "{}: truncated: after offset {} the header promises {} bytes, {} are there. "
        "An interrupted download? {}",
        name, offset, bytes, got, kAdvice);
  std::array<std::uint8_t, 1> beyond{};
  check_end(source.read(beyond), bytes, offset, name);
  return elements;
}

IdxImages read_images(ByteSource& source, const std::string& name, bool leave_on_disk) {
  constexpr int kOffset = 16;
  const auto [count, height, width] = read_header(source, kImagesMagic, name);
  const std::uint64_t bytes = std::uint64_t{count} * height * width;  // < 2^59, cannot overflow
  IdxImages images = {.count = count, .height = height, .width = width};
  if (leave_on_disk && !source.gzipped()) {
    check_promise(source, bytes, kOffset, name);
    check_end(source.at_most() - bytes, bytes, kOffset, name);
    images.file = std::make_shared<PixelFile>(source.release(), name, kOffset, bytes);
  } else {
    images.pixels = read_elements(source, bytes, kOffset, name);
  }
  return images;
}

std::vector<std::uint8_t> read_labels(ByteSource& source, const std::string& name, int classes) {
  const std::uint32_t count = read_header(source, kLabelsMagic, name)[0];
  std::vector<std::uint8_t> labels = read_elements(source, count, 8, name);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    check(labels[i] < classes,
          "{}: label {} at offset {}; between 0 and {} expected. Labels of another data set? {}",
          name, labels[i], i + 8, classes - 1, kAdvice);
  }
  return labels;
}

fs::path find_file(const fs::path& dir, const std::string& stem, const std::string& kind) {
  std::string tried;
  for (const char* separator : {"-", "."}) {
    for (const char* suffix : {"", ".gz"}) {
      const std::string name = fmt::format("{}{}{}{}", stem, separator, kind, suffix);
      std::error_code ignored;
      if (fs::exists(dir / name, ignored)) {
        return dir / name;
      }
      tried += fmt::format("{}{}", tried.empty() ? "" : ", ", name);
    }
  }
  fail(
      "{}: no {} found here. Fetch MNIST: deploy/fetch-mnist {}, or name another folder by "
      "--data.\n  tried: {}",
      dir.string(), stem, dir.string(), tried);
}

}  // namespace

IdxImages parse_idx_images(std::span<const std::uint8_t> file, const std::string& name) {
  ByteSource source(file, name);
  return read_images(source, name, /*leave_on_disk=*/false);
}

std::vector<std::uint8_t> parse_idx_labels(std::span<const std::uint8_t> file,
                                           const std::string& name, int classes) {
  ByteSource source(file, name);
  return read_labels(source, name, classes);
}

IdxImages read_idx_images(const fs::path& path) {
  ByteSource source(path, kMaxFileBytes);
  return read_images(source, path.string(), /*leave_on_disk=*/false);
}

IdxImages open_idx_images(const fs::path& path) {
  ByteSource source(path, kMaxFileBytes);
  return read_images(source, path.string(), /*leave_on_disk=*/true);
}

std::vector<std::uint8_t> read_idx_labels(const fs::path& path, int classes) {
  ByteSource source(path, kMaxFileBytes);
  return read_labels(source, path.string(), classes);
}

Dataset load_idx_dataset(const fs::path& dir, Split split, const std::string& name,
                         std::vector<std::string> class_names) {
  const std::string part = split == Split::kTrain ? "train" : "t10k";
  const fs::path images_path = find_file(dir, part + "-images", "idx3-ubyte");
  const fs::path labels_path = find_file(dir, part + "-labels", "idx1-ubyte");
  IdxImages images = open_idx_images(images_path);
  std::vector<std::uint8_t> labels =
      read_idx_labels(labels_path, static_cast<int>(class_names.size()));
  check(images.count == static_cast<std::int64_t>(labels.size()),
        "{}: {} images, but {} labels in {}. Are they of the same split? {}", images_path.string(),
        images.count, labels.size(), labels_path.string(), kAdvice);
  return Dataset({.name = fmt::format("{}/{}", name, split_name(split)),
                  .height = images.height,
                  .width = images.width,
                  .pixels = std::move(images.pixels),
                  .file = std::move(images.file),
                  .labels = std::move(labels),
                  .class_names = std::move(class_names)});
}

}  // namespace convoy::data
