#include "tests/parity/torch_order.h"

#include "core/base/check.h"

namespace convoy::parity {
namespace {

// The axes of memory, in the order in which PyTorch has them.
std::vector<int> torch_axes(const Shape& shape, Layout layout) {
  switch (layout) {
    case Layout::kConvWeight:
      return {3, 2, 0, 1};
    case Layout::kLinearWeight:
      return {1, 0};
    case Layout::kPlain:
      break;
  }
  if (shape.rank() == 4) {
    return {0, 3, 1, 2};
  }
  check(shape.rank() <= 2, "no order is known for shape {}", shape.str());
  return shape.rank() == 2 ? std::vector{0, 1} : std::vector(shape.rank(), 0);
}

// Where each element, taken in PyTorch's order, lies in memory.
std::vector<std::size_t> positions(const Shape& shape, Layout layout) {
  std::vector<std::size_t> result = {0};
  for (const int axis : torch_axes(shape, layout)) {
    std::size_t stride = 1;
    for (int inner = axis + 1; inner < shape.rank(); ++inner) {
      stride *= static_cast<std::size_t>(shape[inner]);
    }
    const auto extent = static_cast<std::size_t>(shape[axis]);
    std::vector<std::size_t> finer;
    finer.reserve(result.size() * extent);
    for (const std::size_t start : result) {
      for (std::size_t i = 0; i < extent; ++i) {
        finer.push_back(start + i * stride);
      }
    }
    result = std::move(finer);
  }
  return result;
}

}  // namespace

Shape shape_from_torch(std::span<const std::int64_t> shape) {
  check(shape.size() == 2 || shape.size() == 4, "an activation of {} axes", shape.size());
  return shape.size() == 2 ? Shape{shape[0], shape[1]}
                           : Shape{shape[0], shape[2], shape[3], shape[1]};
}

std::vector<float> to_torch(const Tensor& tensor, Layout layout) {
  std::vector<float> values;
  values.reserve(tensor.values().size());
  for (const std::size_t position : positions(tensor.shape(), layout)) {
    values.push_back(tensor.values()[position]);
  }
  return values;
}

void from_torch(Tensor& tensor, std::span<const float> values, Layout layout) {
  check(std::ssize(values) == tensor.elements(), "{} values for a tensor of shape {}",
        values.size(), tensor.shape().str());
  for (std::size_t i = 0; const std::size_t position : positions(tensor.shape(), layout)) {
    tensor.values()[position] = values[i++];
  }
}

}  // namespace convoy::parity
