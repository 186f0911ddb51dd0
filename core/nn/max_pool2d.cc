#include "core/nn/max_pool2d.h"

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/nn/max_pool2d_kernel.h"
#include "core/nn/pooling.h"
#include "core/tensor/pool_array.h"

namespace convoy::nn {
namespace {

PoolWindow window_of(const MaxPool2dOptions& options) {
  return {.kernel_size = options.kernel_size,
          .stride = options.stride.value_or(options.kernel_size),
          .padding = options.padding,
          .dilation = options.dilation,
          .ceil_mode = options.ceil_mode};
}

class MaxPool2dNode : public Node {
 public:
  MaxPool2dNode(GradSlot input, Shape x, const PoolGeometry& geometry,
                PoolArray<std::uint8_t> winners)
      : input_(input), x_(x), geometry_(geometry), winners_(std::move(winners)) {}

  std::string_view name() const override { return "MaxPool2d"; }

  void backward(Tape& tape, Tensor grad_output) override {
    Tensor dx(x_);
    const auto kernel = max_pool2d_backward_kernel();
    parallel_for(x_.n() * x_.h(), [&](std::int64_t begin, std::int64_t end, int) {
      kernel(geometry_, grad_output.data(), winners_.data(), dx.data(), begin, end);
    });
    tape.add_grad(input_, std::move(dx));
  }

 private:
  GradSlot input_;
  Shape x_;
  PoolGeometry geometry_;
  PoolArray<std::uint8_t> winners_;  // or as many 32-bit integers: see winners_are_bytes
};

}  // namespace

MaxPool2d::MaxPool2d(MaxPool2dOptions options) : options_(options) {
  check_window("MaxPool2d", window_of(options_));
  check(options_.kernel_size.h * options_.kernel_size.w <= kMostWinners,
        "MaxPool2d: kernel_size {} has more than {} places", options_.kernel_size.str(),
        kMostWinners);
}

PoolGeometry MaxPool2d::geometry(const Shape& x) const {
  return pool_geometry("MaxPool2d", window_of(options_), x);
}

Shape MaxPool2d::output_shape(const Shape& x) const {
  const PoolGeometry g = geometry(x);
  return {x.n(), g.p, g.q, x.c()};
}

std::string MaxPool2d::describe() const {
  const PoolWindow window = window_of(options_);
  return fmt::format("MaxPool2d(kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={})",
                     window.kernel_size.short_str(), window.stride.short_str(),
                     window.padding.short_str(), window.dilation.short_str(),
                     window.ceil_mode ? "True" : "False");
}

Variable MaxPool2d::forward(Tape& tape, const Variable& x) {
  const PoolGeometry g = geometry(x.shape());
  Tensor y({x.shape().n(), g.p, g.q, g.c});
  PoolArray<std::uint8_t> winners;
  if (tape.needs_grad(x)) {
    winners = PoolArray<std::uint8_t>(y.elements() * (winners_are_bytes(g) ? 1 : 4));
  }
  const auto kernel = max_pool2d_forward_kernel();
  parallel_for(x.shape().n() * g.p, [&](std::int64_t begin, std::int64_t end, int) {
    kernel(g, x.value().data(), y.data(), winners.data(), begin, end);
  });
  if (!tape.needs_grad(x)) {
    return y;
  }
  return tape.record(std::move(y),
                     std::make_unique<MaxPool2dNode>(x.slot(), x.shape(), g, std::move(winners)));
}

}  // namespace convoy::nn
