// Extents of a tensor.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace convoy {

/// At most four extents, outermost first, each at least 0.
///
/// The letters used all over convoy: N images, C channels, H height, W width of an activation;
/// K output channels, R kernel height, S kernel width of a convolution; P height, Q width of its
/// output. An activation of images is (N, H, W, C): channels last, as it lies in memory. What a
/// user sees or exchanges is in PyTorch's order; core/io holds that permutation.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  /// Rank 0: a scalar, one element.
  Shape() = default;
  /// Throws Error for more than four extents, a negative one, or a product beyond 2^62.
  Shape(std::initializer_list<std::int64_t> extents);

  int rank() const { return rank_; }
  /// REQUIRES: 0 <= axis < rank().
  std::int64_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  std::int64_t elements() const;

  /// Of an activation. REQUIRES: rank() == 4.
  std::int64_t n() const { return extents_[0]; }
  std::int64_t h() const { return extents_[1]; }
  std::int64_t w() const { return extents_[2]; }
  std::int64_t c() const { return extents_[3]; }

  /// "[32, 28, 28, 1]"
  std::string str() const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<std::int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

/// "[32, 1, 28, 28]": an activation's shape as PyTorch writes it, N,C,H,W; others as they are.
std::string torch_order_str(const Shape& shape);

}  // namespace convoy
