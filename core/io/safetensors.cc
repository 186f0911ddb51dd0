#include "core/io/safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "core/base/printable.h"
#include "core/io/file.h"
#include "core/io/safetensors_header.h"

namespace convoy::io {
namespace {

using Named = std::pair<const std::string, StoredTensor>;

std::uint64_t stored_bytes(const StoredTensor& tensor) {
  return static_cast<std::uint64_t>(tensor.values.elements()) * dtype_info(tensor.dtype).bytes;
}

std::vector<const Named*> in_file_order(const SafetensorsFile& file) {
  std::vector<const Named*> ordered;
  for (const Named& named : file.tensors) {
    const auto& [name, tensor] = named;
    check(name != kMetadataKey, "a tensor cannot be saved as {}: safetensors uses it", name);
    check(!tensor.values.empty(), "tensor {} has no values to save", printable(name));
    check(tensor.dtype == Dtype::kF32 || tensor.dtype == Dtype::kI64,
          "tensor {}: {} is read but not written; F32 and I64 are", printable(name),
          dtype_info(tensor.dtype).name);
    ordered.push_back(&named);
  }
  std::ranges::stable_sort(ordered, std::ranges::greater(), [](const Named* named) {
    return dtype_info(named->second.dtype).bytes;
  });
  return ordered;
}

std::string json_string(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    fail("{} cannot be saved as safetensors: it is not UTF-8", printable(text));
  }
}

std::string header_json(const SafetensorsFile& file, std::span<const Named* const> ordered) {
  std::vector<std::string> members;
  if (!file.metadata.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [key, value] : file.metadata) {
      pairs.push_back(json_string(key) + ":" + json_string(value));
    }
    members.push_back(fmt::format("\"{}\":{{{}}}", kMetadataKey, fmt::join(pairs, ",")));
  }
  std::uint64_t begin = 0;
  for (const Named* named : ordered) {
    const auto& [name, tensor] = *named;
    const std::uint64_t end = begin + stored_bytes(tensor);
    const Shape& shape = tensor.values.shape();
    std::vector<std::int64_t> extents;
    extents.reserve(Shape::kMaxRank);
    for (int axis = 0; axis < shape.rank(); ++axis) {
      extents.push_back(shape[axis]);
    }
    members.push_back(fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                                  json_string(name), dtype_info(tensor.dtype).name,
                                  fmt::join(extents, ","), begin, end));
    begin = end;
  }
  std::string json = fmt::format("{{{}}}", fmt::join(members, ","));
  json.resize((json.size() + 7) / 8 * 8, ' ');
  check(json.size() <= kMaxHeaderBytes, "a safetensors header of {} bytes: at most {} are allowed",
        json.size(), kMaxHeaderBytes);
  return json;
}

std::int64_t to_integer(float value, const std::string& name) {
  check(value == std::trunc(value) && std::abs(value) < 0x1p63F,
        "tensor {}: {} cannot be saved as an integer", printable(name), value);
  return static_cast<std::int64_t>(value);
}

void append(std::vector<std::byte>& bytes, const void* data, std::size_t count) {
  const auto* first = static_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), first, first + count);
}

}  // namespace

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name) {
  SafetensorsHeader header = parse_safetensors_header(bytes, name);
  SafetensorsFile file;
  file.metadata = std::move(header.metadata);
  const auto data = bytes.subspan(header.data_begin);
  for (const auto& [tensor, entry] : header.tensors) {
    const auto elements = data.subspan(static_cast<std::size_t>(entry.begin),
                                       static_cast<std::size_t>(entry.end - entry.begin));
    file.tensors[tensor] = {to_floats(elements, entry.dtype, entry.shape), entry.dtype};
  }
  return file;
}

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_file(path), path.string());
}

std::vector<std::byte> serialize_safetensors(const SafetensorsFile& file) {
  const std::vector<const Named*> ordered = in_file_order(file);
  const std::string json = header_json(file, ordered);
  std::size_t total = kHeaderLengthBytes + json.size();
  for (const Named* named : ordered) {
    total += stored_bytes(named->second);
  }
  std::vector<std::byte> bytes;
  bytes.reserve(total);
  const std::uint64_t header_bytes = json.size();
  append(bytes, &header_bytes, kHeaderLengthBytes);
  append(bytes, json.data(), json.size());
  for (const Named* named : ordered) {
    const auto& [name, tensor] = *named;
    if (tensor.dtype == Dtype::kF32) {
      append(bytes, tensor.values.data(), tensor.values.values().size_bytes());
      continue;
    }
    for (const float value : tensor.values.values()) {
      const std::int64_t integer = to_integer(value, name);
      append(bytes, &integer, sizeof(integer));
    }
  }
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file) {
  write_file_atomically(path, serialize_safetensors(file));
}

}  // namespace convoy::io
