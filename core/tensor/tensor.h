// A block of float32 numbers with a shape.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/tensor/shape.h"

namespace convoy {

/// Contiguous float32 elements, row-major in the order of its shape. Copying a Tensor shares the
/// elements, as in PyTorch; `clone` copies them. Distinct tensors may be used from distinct
/// threads.
class Tensor {
 public:
  /// No elements and no storage; `empty()` is true.
  Tensor() = default;
  /// Elements unspecified, from the BufferPool.
  explicit Tensor(Shape shape);

  static Tensor full(Shape shape, float value);
  static Tensor zeros(Shape shape) { return full(shape, 0.0F); }
  /// Copies `values`; throws Error unless there are as many as the shape has elements.
  static Tensor of(Shape shape, std::span<const float> values);
  /// Elements in memory from elsewhere, left as they are. REQUIRES: room for the shape's.
  static Tensor in(std::shared_ptr<float[]> storage, Shape shape);

  bool empty() const { return data_ == nullptr; }
  const Shape& shape() const { return shape_; }
  std::int64_t elements() const { return shape_.elements(); }

  float* data() { return data_; }
  const float* data() const { return data_; }
  std::span<float> values() { return {data_, static_cast<std::size_t>(elements())}; }
  std::span<const float> values() const { return {data_, static_cast<std::size_t>(elements())}; }

  /// The same elements under another shape; throws Error if their number differs.
  Tensor reshape(Shape shape) const;
  /// The elements from `offset` on under `shape`, shared. Throws Error if they reach past the end.
  Tensor slice(std::int64_t offset, Shape shape) const;
  Tensor clone() const;
  void fill(float value);

 private:
  Tensor(Shape shape, std::shared_ptr<float[]> storage, float* data)
      : shape_(shape), storage_(std::move(storage)), data_(data) {}

  Shape shape_;
  std::shared_ptr<float[]> storage_;
  float* data_ = nullptr;
};

}  // namespace convoy
