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

using Named = std::pair<const std::string, TensorSource>;

constexpr std::int64_t kPieceElements = 1 << 14;

std::uint64_t stored_bytes(const TensorSource& tensor) {
  return static_cast<std::uint64_t>(tensor.shape.elements()) * dtype_info(tensor.dtype).bytes;
}

std::vector<const Named*> in_file_order(const SafetensorsContent& content) {
  std::vector<const Named*> ordered;
  for (const Named& named : content.tensors) {
    const auto& [name, tensor] = named;
    check(name != kMetadataKey, "a tensor cannot be saved as {}: safetensors uses it", name);
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

std::string header_json(const SafetensorsContent& content, std::span<const Named* const> ordered) {
  std::vector<std::string> members;
  if (!content.metadata.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [key, value] : content.metadata) {
      pairs.push_back(json_string(key) + ":" + json_string(value));
    }
    members.push_back(fmt::format("\"{}\":{{{}}}", kMetadataKey, fmt::join(pairs, ",")));
  }
  std::uint64_t begin = 0;
  for (const Named* named : ordered) {
    const auto& [name, tensor] = *named;
    const std::uint64_t end = begin + stored_bytes(tensor);
    const Shape& shape = tensor.shape;
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

void give_elements(const Named& named, const ByteSink& sink) {
  const auto& [name, tensor] = named;
  const std::int64_t elements = tensor.shape.elements();
  std::vector<float> piece(static_cast<std::size_t>(std::min(elements, kPieceElements)));
  std::vector<std::int64_t> integers;
  for (std::int64_t first = 0; first < elements;) {
    const auto values = std::span(piece).first(
        static_cast<std::size_t>(std::min(elements - first, kPieceElements)));
    tensor.read(first, values);
    first += static_cast<std::int64_t>(values.size());
    if (tensor.dtype == Dtype::kF32) {
      sink(std::as_bytes(values));
      continue;
    }
    integers.resize(values.size());
    std::ranges::transform(values, integers.begin(),
                           [&named](float value) { return to_integer(value, named.first); });
    sink(std::as_bytes(std::span(integers)));
  }
}

}  // namespace

SafetensorsContent::SafetensorsContent(const SafetensorsFile& file) : metadata(file.metadata) {
  for (const auto& [name, tensor] : file.tensors) {
    check(!tensor.values.empty(), "tensor {} has no values to save", printable(name));
    tensors[name] = {.shape = tensor.values.shape(),
                     .dtype = tensor.dtype,
                     .read = [values = tensor.values](std::int64_t first, std::span<float> out) {
                       const auto from = values.values().subspan(static_cast<std::size_t>(first));
                       std::ranges::copy(from.first(out.size()), out.begin());
                     }};
  }
}

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

FileContent safetensors_bytes(const SafetensorsContent& content) {
  std::vector<const Named*> ordered = in_file_order(content);
  std::string json = header_json(content, ordered);
  std::uint64_t bytes = kHeaderLengthBytes + json.size();
  for (const Named* named : ordered) {
    bytes += stored_bytes(named->second);
  }
  return {.bytes = bytes,
          .give = [ordered = std::move(ordered), json = std::move(json)](const ByteSink& sink) {
            const std::uint64_t header_bytes = json.size();
            sink(std::as_bytes(std::span(&header_bytes, 1)));
            sink(as_bytes(json));
            for (const Named* named : ordered) {
              give_elements(*named, sink);
            }
          }};
}

std::vector<std::byte> serialize_safetensors(const SafetensorsContent& content) {
  const FileContent file = safetensors_bytes(content);
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(file.bytes));
  file.give([&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const SafetensorsContent& content) {
  write_file_atomically(path, safetensors_bytes(content));
}

}  // namespace convoy::io
