#include "core/nn/flatten.h"

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

// to (images, columns, rows) = from (images, rows, columns).
void transpose_images(const float* from, float* to, std::int64_t images, std::int64_t rows,
                      std::int64_t columns) {
  parallel_for(images, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int64_t image = n * rows * columns;
      transpose({rows, columns, from + image, columns, to + image, rows});
    }
  });
}

// With one pixel or one channel the features are in order already, and elements can be shared.
bool is_reshape(const Shape& x) {
  return x.h() * x.w() == 1 || x.c() == 1;
}

class FlattenNode : public Node {
 public:
  FlattenNode(GradSlot input, Shape x) : input_(input), x_(x) {}

  std::string_view name() const override { return "Flatten"; }

  void backward(Tape& tape, Tensor grad_output) override {
    if (is_reshape(x_)) {
      // The reshaped gradient must be the only owner of its elements.
      Tensor dx = grad_output.reshape(x_);
      grad_output = Tensor();
      tape.add_grad(input_, std::move(dx));
      return;
    }
    Tensor dx(x_);
    transpose_images(grad_output.data(), dx.data(), x_.n(), x_.c(), x_.h() * x_.w());
    tape.add_grad(input_, std::move(dx));
  }

 private:
  GradSlot input_;
  Shape x_;
};

}  // namespace

Shape Flatten::output_shape(const Shape& x) const {
  check(x.rank() == 4 || x.rank() == 2,
        "Flatten: expected images (N, C, H, W) or rows (N, features), got {}", x.str());
  return x.rank() == 2 ? x : Shape{x.n(), x.c() * x.h() * x.w()};
}

Variable Flatten::forward(Tape& tape, const Variable& x) {
  const Shape flat = output_shape(x.shape());
  const Shape& shape = x.shape();
  if (shape.rank() == 2) {
    return x;
  }
  Tensor y;
  if (is_reshape(shape)) {
    y = x.value().reshape(flat);
  } else {
    y = Tensor(flat);
    transpose_images(x.value().data(), y.data(), shape.n(), shape.h() * shape.w(), shape.c());
  }
  if (!tape.needs_grad(x)) {
    return y;
  }
  return tape.record(std::move(y), std::make_unique<FlattenNode>(x.slot(), shape));
}

}  // namespace convoy::nn
