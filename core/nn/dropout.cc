#include "core/nn/dropout.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/nn/dropout_kernel.h"
#include "core/tensor/pool_array.h"

namespace convoy::nn {
namespace {

// What is shared out to threads: a piece of one image.
constexpr std::int64_t kPiece = 4 * kDropoutGroup;

class DropoutNode : public Node {
 public:
  DropoutNode(GradSlot input, float scale, PoolArray<std::uint8_t> keep)
      : input_(input), scale_(scale), keep_(std::move(keep)) {}

  std::string_view name() const override { return "Dropout"; }

  void backward(Tape& tape, Tensor grad_output) override {
    const auto kernel = dropout_backward_kernel();
    parallel_for(grad_output.elements(), [&](std::int64_t begin, std::int64_t end, int) {
      kernel(keep_.data() + begin, scale_, end - begin, grad_output.data() + begin);
    });
    tape.add_grad(input_, std::move(grad_output));
  }

 private:
  GradSlot input_;
  float scale_;
  PoolArray<std::uint8_t> keep_;  // a byte per element: 0 or 1
};

}  // namespace

Dropout::Dropout(DropoutOptions options) : options_(options) {
  check(options_.p >= 0.0 && options_.p <= 1.0, "Dropout: p {} must lie between 0 and 1",
        options_.p);
  check(options_.layer < (1U << 24), "Dropout: layer {} must be below 2^24", options_.layer);
}

std::string Dropout::describe() const {
  return fmt::format("Dropout(p={}, inplace=False)", options_.p);
}

Variable Dropout::forward(Tape& tape, const Variable& x) {
  if (!tape.training() || options_.p == 0.0) {
    return x;
  }
  check(x.shape().rank() >= 1, "Dropout: expected a batch, got a scalar");
  const std::int64_t images = x.shape()[0];
  const StepContext& context = tape.context();
  check(context.samples.empty() || std::ssize(context.samples) == images,
        "Dropout: {} sample ids for a batch of {}", context.samples.size(), images);
  const std::int64_t image_elements = images == 0 ? 0 : x.shape().elements() / images;
  const std::int64_t pieces = (image_elements + kPiece - 1) / kPiece;

  // A p within 2^-33 of 1 keeps nothing. Dropped elements are multiplied by 0, so that NaN stays.
  const double numbers_dropped = std::round(options_.p * 0x1p32);
  const bool keeps = numbers_dropped < 0x1p32;
  const auto threshold = keeps ? static_cast<std::uint32_t>(numbers_dropped) : 0U;
  const float scale = keeps ? static_cast<float>(1.0 / (1.0 - options_.p)) : 0.0F;

  Tensor y(x.shape());
  PoolArray<std::uint8_t> keep(y.elements());
  const auto kernel = dropout_forward_kernel();
  parallel_for(images * pieces, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t image = index / pieces;
      const std::int64_t first = index % pieces * kPiece;
      const std::int64_t offset = image * image_elements + first;
      // As philox lays out a RandomKey.
      const PhiloxWords words = {
          .counter = {static_cast<std::uint32_t>(context.sample(image)),
                      static_cast<std::uint32_t>(context.step),
                      (static_cast<std::uint32_t>(Stream::kDropout) << 24) | options_.layer},
          .key = {static_cast<std::uint32_t>(context.seed),
                  static_cast<std::uint32_t>(context.seed >> 32)}};
      kernel(words, static_cast<std::uint32_t>(first / kDropoutGroup), threshold, scale,
             x.value().data() + offset, std::min(kPiece, image_elements - first), y.data() + offset,
             keep.data() + offset);
    }
  });
  if (!tape.needs_grad(x)) {
    return y;
  }
  return tape.record(std::move(y), std::make_unique<DropoutNode>(x.slot(), scale, std::move(keep)));
}

}  // namespace convoy::nn
