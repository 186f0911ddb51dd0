#include "core/tensor/tensor.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/tensor/buffer_pool.h"

namespace convoy {

Tensor::Tensor(Shape shape)
    : shape_(shape),
      storage_(BufferPool::instance().take(shape.elements())),
      data_(storage_.get()) {}

Tensor Tensor::full(Shape shape, float value) {
  Tensor tensor(shape);
  tensor.fill(value);
  return tensor;
}

Tensor Tensor::of(Shape shape, std::span<const float> values) {
  Tensor tensor(shape);
  check(values.size() == tensor.values().size(), "shape {} has {} elements, but {} were given",
        shape.str(), shape.elements(), values.size());
  std::ranges::copy(values, tensor.data());
  return tensor;
}

Tensor Tensor::in(std::shared_ptr<float[]> storage, Shape shape) {
  float* const data = storage.get();
  return {shape, std::move(storage), data};
}

Tensor Tensor::reshape(Shape shape) const {
  check(shape.elements() == elements(), "reshape of {} to {}: {} elements against {}", shape_.str(),
        shape.str(), elements(), shape.elements());
  return {shape, storage_, data_};
}

Tensor Tensor::slice(std::int64_t offset, Shape shape) const {
  check(offset >= 0 && offset + shape.elements() <= elements(),
        "slice of {} at element {} reaches past the {} elements of {}", shape.str(), offset,
        elements(), shape_.str());
  return {shape, storage_, data_ + offset};
}

Tensor Tensor::clone() const {
  return empty() ? Tensor() : of(shape_, values());
}

void Tensor::fill(float value) {
  std::ranges::fill(values(), value);
}

}  // namespace convoy
