// How a file stores a tensor's elements; in memory they are float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/tensor/tensor.h"

namespace convoy::io {

enum class Dtype { kF32, kF64, kF16, kBF16, kI64 };

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;  ///< as safetensors spells it: "F32"
  std::uint64_t bytes;    ///< of an element
};

const DtypeInfo& dtype_info(Dtype dtype);
/// nullptr for a name that is none of these.
const DtypeInfo* find_dtype(std::string_view name);

/// Stored elements, little-endian and at any address, as floats. F16 and BF16 convert exactly; F64
/// and I64 are rounded to the nearest float (integers are exact up to 2^24).
/// REQUIRES: bytes.size() == shape.elements() * dtype_info(dtype).bytes.
Tensor to_floats(std::span<const std::byte> bytes, Dtype dtype, const Shape& shape);

}  // namespace convoy::io
