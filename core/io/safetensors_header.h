// The header of a safetensors file, parsed and checked; for safetensors.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/dtype.h"

namespace convoy::io {

constexpr std::size_t kHeaderLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::string_view kMetadataKey = "__metadata__";

struct SafetensorsHeader {
  struct Entry {
    Dtype dtype = Dtype::kF32;
    Shape shape = {};
    std::uint64_t begin = 0;  ///< in bytes, from the start of data
    std::uint64_t end = 0;
  };
  std::map<std::string, Entry> tensors;
  std::map<std::string, std::string> metadata;
  std::size_t data_begin = 0;  ///< in bytes, from the start of the file
};

/// Throws Error, as parse_safetensors does, unless the entries fit the file exactly.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, std::string_view name);

}  // namespace convoy::io
