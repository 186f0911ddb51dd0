// The safetensors format (https://github.com/huggingface/safetensors), in which tensors are
// exchanged with PyTorch. Here are bytes and names; whose tensors they are says state_dict.h.
//
//   file     = header_bytes header data
//   header_bytes = unsigned 64-bit little-endian integer, at most 100'000'000
//   header   = UTF-8 JSON of that many bytes, beginning with "{", spaces allowed behind it:
//              { "__metadata__": { KEY: STRING, ... },          (optional)
//                NAME: { "dtype": DTYPE, "shape": [N, ...], "data_offsets": [BEGIN, END] }, ... }
//   data     = the tensors' elements, little-endian, row-major; BEGIN and END count bytes from the
//              start of data. Together the tensors cover data without holes or overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/dtype.h"
#include "core/io/file.h"
#include "core/tensor/tensor.h"

namespace convoy::io {

/// A tensor as a file holds it. All dtypes are read, kF32 and kI64 are written.
struct StoredTensor {
  Tensor values;  ///< converted to float32 as dtype.h says
  Dtype dtype = Dtype::kF32;
};

struct SafetensorsFile {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// A tensor to be written, whose elements are asked for when their turn comes.
struct TensorSource {
  Shape shape = {};
  Dtype dtype = Dtype::kF32;
  /// Sets `out` to the elements from `first` on, in the order of the file.
  std::function<void(std::int64_t first, std::span<float> out)> read = {};
};

/// What to write, as made of a SafetensorsFile or of what the sources borrow.
struct SafetensorsContent {
  std::map<std::string, TensorSource> tensors = {};
  std::map<std::string, std::string> metadata = {};

  SafetensorsContent() = default;
  SafetensorsContent(std::map<std::string, TensorSource> sources,
                     std::map<std::string, std::string> entries)
      : tensors(std::move(sources)), metadata(std::move(entries)) {}
  /// Shares the tensors' elements. Throws Error for a tensor without any storage.
  SafetensorsContent(const SafetensorsFile& file);  // NOLINT(google-explicit-constructor)
};

/// Reads a whole file in memory; `name` is for messages. Everything is checked before memory is
/// taken for it. Throws Error for: a truncated or oversized header, JSON that is broken (with the
/// offset) or has other members than those above, a name given twice, another dtype, more than four
/// extents, offsets that do not fit dtype and shape, overlap, leave holes, reach past the end or
/// leave bytes behind.
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name);

/// The same for a file on disk. Throws Error, also if it cannot be read.
SafetensorsFile read_safetensors(const std::filesystem::path& path);

/// The bytes of a file, to be written piece by piece; borrows `content`. Equal content gives equal
/// bytes. Tensors lie in order of name, those of 64 bits first, so that all are aligned. Throws
/// Error for a dtype that is not written and a name that is not UTF-8 or reserved; giving the bytes
/// throws it for a value stored as an integer that is none.
FileContent safetensors_bytes(const SafetensorsContent& content);

/// The same in memory.
std::vector<std::byte> serialize_safetensors(const SafetensorsContent& content);

/// Writes atomically: see write_file_atomically. Throws Error.
void write_safetensors(const std::filesystem::path& path, const SafetensorsContent& content);

}  // namespace convoy::io
