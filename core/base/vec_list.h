// Lists of those elements of vectors that are wanted, say those that are not zero, each with an
// offset. For kernel sources only, as core/base/vec.h, and like that all in an anonymous namespace.
#pragma once

#include <cstdint>

#include "core/base/vec.h"

namespace convoy {
namespace {  // NOLINT: one copy per instruction set is the purpose

#if defined(__AVX512F__)

/// Which elements of a Vec: a bit for each, the lowest for the first.
using VecMask = unsigned;

/// As many 32-bit integers as a Vec has floats.
struct VecOffsets {
  __m512i v;
  /// 0, step, 2 * step ...
  static VecOffsets multiples(std::int32_t step) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return {_mm512_mullo_epi32(lane, _mm512_set1_epi32(step))};
  }
  static VecOffsets load(const void* p) { return {_mm512_loadu_si512(p)}; }
  friend VecOffsets operator+(VecOffsets a, std::int32_t b) {
    return {_mm512_add_epi32(a.v, _mm512_set1_epi32(b))};
  }
};

inline VecMask nonzero(Vec a) {
  return _mm512_cmp_ps_mask(a.v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
}

inline VecMask equal(const std::uint8_t* bytes, std::uint8_t value) {
  const __m128i loaded = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));  // NOLINT
  return _mm_cmpeq_epi8_mask(loaded, _mm_set1_epi8(static_cast<char>(value)));
}

/// Returns how many there are. Writes as many as if all were wanted.
inline int store_wanted(VecMask wanted, Vec values, VecOffsets offsets, float* to_values,
                        std::int32_t* to_offsets) {
  const auto mask = static_cast<__mmask16>(wanted);
  _mm512_storeu_ps(to_values, _mm512_maskz_compress_ps(mask, values.v));
  _mm512_storeu_si512(to_offsets, _mm512_maskz_compress_epi32(mask, offsets.v));
  return __builtin_popcount(wanted);
}

#elif defined(__AVX2__)

using VecMask = unsigned;

struct VecOffsets {
  __m256i v;
  static VecOffsets multiples(std::int32_t step) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return {_mm256_mullo_epi32(lane, _mm256_set1_epi32(step))};
  }
  static VecOffsets load(const void* p) {
    return {_mm256_loadu_si256(static_cast<const __m256i*>(p))};
  }
  friend VecOffsets operator+(VecOffsets a, std::int32_t b) {
    return {_mm256_add_epi32(a.v, _mm256_set1_epi32(b))};
  }
};

inline VecMask nonzero(Vec a) {
  const __m256 differs = _mm256_cmp_ps(a.v, _mm256_setzero_ps(), _CMP_NEQ_UQ);
  return static_cast<VecMask>(_mm256_movemask_ps(differs));
}

inline VecMask equal(const std::uint8_t* bytes, std::uint8_t value) {
  const __m128i loaded = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes));  // NOLINT
  const __m128i same = _mm_cmpeq_epi8(loaded, _mm_set1_epi8(static_cast<char>(value)));
  return static_cast<VecMask>(_mm_movemask_epi8(same)) & 0xFF;
}

/// The numbers of the elements that each mask wants, then 0.
struct WantedLanes {
  alignas(64) std::uint8_t of[256][8];
  constexpr WantedLanes() : of() {
    for (unsigned mask = 0; mask < 256; ++mask) {
      int count = 0;
      for (unsigned lane = 0; lane < 8; ++lane) {
        if ((mask >> lane & 1) != 0) {
          of[mask][count++] = static_cast<std::uint8_t>(lane);
        }
      }
    }
  }
};
constexpr WantedLanes kWantedLanes;

inline int store_wanted(VecMask wanted, Vec values, VecOffsets offsets, float* to_values,
                        std::int32_t* to_offsets) {
  const __m256i lanes = _mm256_cvtepu8_epi32(
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kWantedLanes.of[wanted])));  // NOLINT
  _mm256_storeu_ps(to_values, _mm256_permutevar8x32_ps(values.v, lanes));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to_offsets),  // NOLINT
                      _mm256_permutevar8x32_epi32(offsets.v, lanes));
  return __builtin_popcount(wanted);
}

#else

struct VecMask {
  bool of[Vec::kWidth];
  friend VecMask operator&(VecMask a, VecMask b) {
    for (int i = 0; i < Vec::kWidth; ++i) {
      a.of[i] &= b.of[i];
    }
    return a;
  }
};

struct VecOffsets {
  using Quad = std::int32_t __attribute__((vector_size(16)));
  Quad v;
  static VecOffsets multiples(std::int32_t step) { return {Quad{0, 1, 2, 3} * step}; }
  static VecOffsets load(const void* p) {
    VecOffsets result;
    __builtin_memcpy(&result.v, p, sizeof result.v);
    return result;
  }
  friend VecOffsets operator+(VecOffsets a, std::int32_t b) { return {a.v + b}; }
};

inline VecMask nonzero(Vec a) {
  VecMask mask;
  for (int i = 0; i < Vec::kWidth; ++i) {
    mask.of[i] = a.v[i] != 0.0F;
  }
  return mask;
}

inline VecMask equal(const std::uint8_t* bytes, std::uint8_t value) {
  VecMask mask;
  for (int i = 0; i < Vec::kWidth; ++i) {
    mask.of[i] = bytes[i] == value;
  }
  return mask;
}

inline int store_wanted(VecMask wanted, Vec values, VecOffsets offsets, float* to_values,
                        std::int32_t* to_offsets) {
  int count = 0;
  for (int i = 0; i < Vec::kWidth; ++i) {
    to_values[count] = values.v[i];
    to_offsets[count] = offsets.v[i];
    count += static_cast<int>(wanted.of[i]);
  }
  return count;
}

#endif

/// Grows where the caller has room for what is wanted and kSlack elements more.
struct VecList {
  static constexpr std::int64_t kSlack = 16;
  float* values;
  std::int32_t* offsets;
  std::int64_t count = 0;

  void append(VecMask wanted, Vec new_values, VecOffsets new_offsets) {
    count += store_wanted(wanted, new_values, new_offsets, values + count, offsets + count);
  }
  void append(bool wanted, float value, std::int32_t offset) {
    values[count] = value;
    offsets[count] = offset;
    count += static_cast<std::int64_t>(wanted);
  }
};

}  // namespace
}  // namespace convoy
