// Batch normalisation over N, H and W of each channel (Ioffe and Szegedy, ICML 2015).
// https://pytorch.org/docs/1.13/generated/torch.nn.BatchNorm2d.html
#pragma once

#include <optional>

#include "core/nn/module.h"

namespace convoy::nn {

struct BatchNorm2dOptions {
  std::int64_t num_features = 0;
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< none: running statistics are a plain average
  bool affine = true;
  bool track_running_stats = true;
};

/// y = (x - mean) / sqrt(var + eps) * weight + bias per channel; x and y (N, H, W, C).
/// On a training tape (or without running statistics) mean and biased variance are those of the
/// global batch: sums and the count go through StepContext::all_reduce_sum, in forward and in
/// backward: one call each, over all ranks alike, also where a rank's share holds no image. On an
/// evaluating tape they are running_mean and running_var.
/// The variance is E[x^2] - E[x]^2 from sums in double: one pass over x and one call. A float's
/// square is exact in double, so its relative error stays below 5e-15 (mean^2 / var): 5e-9 for a
/// mean of 10^3 deviations, 5e-7 of 10^4, 5e-5 of 10^5.
/// Parameters: `weight`, `bias`; buffers, updated on a training tape only: `running_mean`,
/// `running_var` (unbiased), `num_batches_tracked`.
class BatchNorm2d : public Module {
 public:
  explicit BatchNorm2d(BatchNorm2dOptions options);
  /// Throws Error for another number of channels, or for batch statistics of fewer than two values
  /// per channel; on every rank alike.
  Variable forward(Tape& tape, const Variable& x) override;
  Shape output_shape(const Shape& x) const override;
  std::string describe() const override;
  const BatchNorm2dOptions& options() const { return options_; }

 private:
  // Sets mean and biased variance per channel to the global batch's; a training tape also moves the
  // running statistics.
  void take_batch_statistics(const Tape& tape, const Tensor& x, Tensor& mean, Tensor& variance);

  BatchNorm2dOptions options_;
  Parameter weight_;
  Parameter bias_;
  Parameter running_mean_;
  Parameter running_var_;
  Parameter num_batches_tracked_;
};

}  // namespace convoy::nn
