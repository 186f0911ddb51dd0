// One SIMD register of floats for each instruction set; for kernel sources only (see
// core/base/isa.h). It must stay free of functions that the linker could merge across sets, so
// everything is in an anonymous namespace.
#pragma once

#include <cstdint>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace convoy {
namespace {  // NOLINT: one copy per instruction set is the purpose

#if defined(__AVX512F__)

constexpr int kVecRegisters = 32;

struct Vec {
  static constexpr int kWidth = 16;
  __m512 v;
  static Vec zero() { return {_mm512_setzero_ps()}; }
  static Vec broadcast(const float* p) { return {_mm512_set1_ps(*p)}; }
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vec load_first(const float* p, int count) {
    return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), p)};
  }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store_first(float* p, int count) const {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1U << count) - 1), v);
  }
  void add_product(Vec a, Vec b) { v = _mm512_fmadd_ps(a.v, b.v, v); }
  friend Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
};

#elif defined(__AVX2__)

constexpr int kVecRegisters = 16;

struct Vec {
  static constexpr int kWidth = 8;
  __m256 v;
  static __m256i mask(int count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
  }
  static Vec zero() { return {_mm256_setzero_ps()}; }
  static Vec broadcast(const float* p) { return {_mm256_broadcast_ss(p)}; }
  static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Vec load_first(const float* p, int count) { return {_mm256_maskload_ps(p, mask(count))}; }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  void store_first(float* p, int count) const { _mm256_maskstore_ps(p, mask(count), v); }
  void add_product(Vec a, Vec b) { v = _mm256_fmadd_ps(a.v, b.v, v); }
  friend Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
  friend Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
  friend Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
};

#else

constexpr int kVecRegisters = 16;

struct Vec {
  static constexpr int kWidth = 4;
  using Quad = float __attribute__((vector_size(16)));
  Quad v;
  static Vec zero() { return {Quad{0, 0, 0, 0}}; }
  static Vec broadcast(const float* p) { return {Quad{*p, *p, *p, *p}}; }
  static Vec load(const float* p) { return {Quad{p[0], p[1], p[2], p[3]}}; }
  static Vec load_first(const float* p, int count) {
    Vec result = zero();
    for (int i = 0; i < count; ++i) {
      result.v[i] = p[i];
    }
    return result;
  }
  void store(float* p) const { store_first(p, kWidth); }
  void store_first(float* p, int count) const {
    for (int i = 0; i < count; ++i) {
      p[i] = v[i];
    }
  }
  void add_product(Vec a, Vec b) { v += a.v * b.v; }
  friend Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
  friend Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
  friend Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
};

#endif

// `p`, from where vectors are loaded at constant distances: left alone, g++ 12 keeps one offset for
// each of them and runs out of registers.
inline const float* in_register(const float* p) {
#if defined(__GNUC__)
  asm("" : "+r"(p));  // NOLINT(hicpp-no-assembler)
#endif
  return p;
}

}  // namespace
}  // namespace convoy
