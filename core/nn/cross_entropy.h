// The loss of a classifier. https://pytorch.org/docs/1.13/generated/torch.nn.CrossEntropyLoss.html
#pragma once

#include <cstdint>
#include <span>

#include "core/autograd/tape.h"

namespace convoy::nn {

struct CrossEntropyOptions {
  enum class Reduction { kMean, kSum };
  /// The share of probability taken from the true class and spread over all, in [0, 1].
  double label_smoothing = 0.0;
  Reduction reduction = Reduction::kMean;
};

struct Loss {
  Variable value;  ///< the mean (of no rows: NaN) or the sum, shape []
  /// Of the losses of all rows, each rounded to a multiple of 2^-24: so as long as it stays below
  /// 2^29 it is exact, whatever the order, and however rows are shared out.
  double sum = 0.0;
  std::int64_t correct =
      0;  ///< rows whose largest logit (the first, if several) is the label's; none with NaN
};

/// Of `logits` (N, classes) against one class index per row. Loss of a row: -sum_c q_c log p_c with
/// p = softmax(logits) and q = (1 - smoothing) * onehot(label) + smoothing / classes.
/// Throws Error for another rank, another number of labels, or a label that is no class.
Loss cross_entropy(Tape& tape, const Variable& logits, std::span<const std::uint8_t> labels,
                   const CrossEntropyOptions& options = {});

}  // namespace convoy::nn
