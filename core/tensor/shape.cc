#include "core/tensor/shape.h"

#include <fmt/ranges.h>

#include <span>

#include "core/base/check.h"

namespace convoy {

Shape::Shape(std::initializer_list<std::int64_t> extents) {
  check(extents.size() <= kMaxRank, "shape [{}]: at most {} axes", fmt::join(extents, ", "),
        kMaxRank);
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) {
    check(extent >= 0, "shape [{}]: negative extent", fmt::join(extents, ", "));
    check(!__builtin_mul_overflow(product, extent, &product) && product <= (std::int64_t{1} << 62),
          "shape [{}]: too many elements", fmt::join(extents, ", "));
    extents_[static_cast<std::size_t>(rank_++)] = extent;
  }
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (int axis = 0; axis < rank_; ++axis) {
    product *= (*this)[axis];
  }
  return product;
}

std::string Shape::str() const {
  return fmt::format("[{}]",
                     fmt::join(std::span(extents_).first(static_cast<std::size_t>(rank_)), ", "));
}

std::string torch_order_str(const Shape& shape) {
  if (shape.rank() != 4) {
    return shape.str();
  }
  return Shape{shape.n(), shape.c(), shape.h(), shape.w()}.str();
}

}  // namespace convoy
