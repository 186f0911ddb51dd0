#include "core/io/dtype.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace convoy::io {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they are");

constexpr std::array<DtypeInfo, 5> kDtypes = {{{Dtype::kF32, "F32", 4},
                                               {Dtype::kF64, "F64", 8},
                                               {Dtype::kF16, "F16", 2},
                                               {Dtype::kBF16, "BF16", 2},
                                               {Dtype::kI64, "I64", 8}}};

// The upper half of a float.
float from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits.
float from_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t magnitude = bits & 0x7FFFU;
  if (magnitude < 0x0400U) {  // zero or subnormal: a multiple of 2^-24
    const float value = static_cast<float>(magnitude) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
  }
  const std::uint32_t rebias = (magnitude < 0x7C00U ? 127U - 15U : 255U - 31U) << 23;
  return std::bit_cast<float>(((magnitude << 13) + rebias) | sign);
}

template <typename Stored, typename Convert>
void convert_elements(std::span<const std::byte> bytes, Tensor& values, Convert convert) {
  for (std::size_t i = 0; i < values.values().size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values.data()[i] = convert(stored);
  }
}

}  // namespace

const DtypeInfo& dtype_info(Dtype dtype) {
  return *std::ranges::find(kDtypes, dtype, &DtypeInfo::dtype);
}

const DtypeInfo* find_dtype(std::string_view name) {
  const auto* found = std::ranges::find(kDtypes, name, &DtypeInfo::name);
  return found == kDtypes.end() ? nullptr : found;
}

Tensor to_floats(std::span<const std::byte> bytes, Dtype dtype, const Shape& shape) {
  Tensor values(shape);
  const auto round = [](auto stored) { return static_cast<float>(stored); };
  switch (dtype) {
    case Dtype::kF32:
      convert_elements<float>(bytes, values, round);
      break;
    case Dtype::kF64:
      convert_elements<double>(bytes, values, round);
      break;
    case Dtype::kF16:
      convert_elements<std::uint16_t>(bytes, values, from_f16);
      break;
    case Dtype::kBF16:
      convert_elements<std::uint16_t>(bytes, values, from_bf16);
      break;
    case Dtype::kI64:
      convert_elements<std::int64_t>(bytes, values, round);
      break;
  }
  return values;
}

}  // namespace convoy::io
