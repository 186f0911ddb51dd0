#include "core/nn/cross_entropy.h"

#include <cmath>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/tensor/pool_array.h"

namespace convoy::nn {
namespace {

class CrossEntropyNode : public Node {
 public:
  CrossEntropyNode(GradSlot logits, Tensor dlogits, float scale)
      : logits_(logits), dlogits_(std::move(dlogits)), scale_(scale) {}

  std::string_view name() const override { return "CrossEntropy"; }

  void backward(Tape& tape, Tensor grad_output) override {
    const float factor = grad_output.data()[0] * scale_;
    for (float& element : dlogits_.values()) {
      element *= factor;
    }
    tape.add_grad(logits_, std::move(dlogits_));
  }

 private:
  GradSlot logits_;
  Tensor dlogits_;  // of the sum: softmax(logits) - q
  float scale_;
};

struct Row {
  double loss;
  bool correct;
};

// Loss of one row of `classes` logits; dx, if wanted, becomes the loss's gradient.
Row row_loss(const float* x, std::int64_t classes, std::int64_t label, double smoothing,
             float* dx) {
  std::int64_t best = 0;
  bool comparable = true;
  double total = 0.0;
  for (std::int64_t c = 0; c < classes; ++c) {
    best = x[c] > x[best] ? c : best;
    comparable = comparable && x[c] == x[c];
    total += static_cast<double>(x[c]);
  }
  // Shifted by the largest logit, so that exp never overflows.
  const auto shift = static_cast<double>(x[best]);
  double sum = 0.0;
  for (std::int64_t c = 0; c < classes; ++c) {
    sum += std::exp(static_cast<double>(x[c]) - shift);
  }
  const double log_sum = std::log(sum) + shift;
  const double uniform = smoothing / static_cast<double>(classes);
  if (dx != nullptr) {
    for (std::int64_t c = 0; c < classes; ++c) {
      const double q = uniform + (c == label ? 1.0 - smoothing : 0.0);
      dx[c] = static_cast<float>(std::exp(static_cast<double>(x[c]) - log_sum) - q);
    }
  }
  double loss = log_sum - static_cast<double>(x[label]);
  // Only then do the other classes' logits count: one of them may be infinite.
  if (smoothing > 0.0) {
    loss = (1.0 - smoothing) * loss + smoothing * log_sum - uniform * total;
  }
  return {std::nearbyint(loss * 0x1p24) * 0x1p-24, comparable && best == label};
}

}  // namespace

Loss cross_entropy(Tape& tape, const Variable& logits, std::span<const std::uint8_t> labels,
                   const CrossEntropyOptions& options) {
  const Shape& shape = logits.shape();
  check(shape.rank() == 2 && shape[1] >= 1, "cross_entropy: expected logits (N, classes), got {}",
        shape.str());
  const std::int64_t rows = shape[0];
  const std::int64_t classes = shape[1];
  check(static_cast<std::int64_t>(labels.size()) == rows,
        "cross_entropy: {} rows of logits against {} labels", rows, labels.size());
  check(options.label_smoothing >= 0.0 && options.label_smoothing <= 1.0,
        "cross_entropy: label_smoothing {} must lie between 0 and 1", options.label_smoothing);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    check(labels[row] < classes, "cross_entropy: label {} of row {} is none of {} classes",
          labels[row], row, classes);
  }

  Tensor dlogits = tape.needs_grad(logits) ? Tensor(shape) : Tensor();
  PoolArray<Row> results(rows);
  parallel_for(rows, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      results[row] = row_loss(logits.value().data() + row * classes, classes,
                              labels[static_cast<std::size_t>(row)], options.label_smoothing,
                              dlogits.empty() ? nullptr : dlogits.data() + row * classes);
    }
  });

  Loss loss{.value = Tensor(Shape{})};
  for (const Row& row : results.values()) {
    loss.sum += row.loss;
    loss.correct += row.correct ? 1 : 0;
  }
  const bool mean = options.reduction == CrossEntropyOptions::Reduction::kMean;
  const double scale = mean ? 1.0 / static_cast<double>(rows) : 1.0;
  // Divided rather than multiplied, so that the mean of no rows is NaN, as in PyTorch.
  const double value = mean ? loss.sum / static_cast<double>(rows) : loss.sum;
  Tensor output = Tensor::full(Shape{}, static_cast<float>(value));
  loss.value = tape.needs_grad(logits)
                   ? tape.record(std::move(output),
                                 std::make_unique<CrossEntropyNode>(
                                     logits.slot(), std::move(dlogits), static_cast<float>(scale)))
                   : Variable(std::move(output));
  return loss;
}

}  // namespace convoy::nn
