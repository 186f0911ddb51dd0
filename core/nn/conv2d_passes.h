// The three passes of a convolution on some images at a time: which algorithm, and what it keeps
// between images. The loops themselves are conv2d_direct.h's and conv2d_winograd.h's; which images
// when is conv2d_compute.h's.
#pragma once

#include <optional>

#include "core/nn/conv2d_bf16.h"
#include "core/nn/conv2d_direct.h"
#include "core/nn/conv2d_winograd.h"

namespace convoy::nn {

/// `count` images of a batch (N, any, any, any), from `first` on.
Tensor images(const Tensor& batch, std::int64_t first, std::int64_t count);

/// The images as the passes want them: padded, or x (N, H, W, C) itself where the algorithm needs
/// no padding.
Tensor conv_input(const ConvGeometry& g, const Tensor& x);

/// A conv_input padded, (N, padded H, padded W, C), if it was not already.
Tensor conv_padded(const ConvGeometry& g, const Tensor& input);

/// The forward pass, ready to run on any images in units of work that may be shared out among
/// threads as one likes: the bits do not depend on it.
class ConvForward {
 public:
  /// weight (R, S, C/groups, K).
  ConvForward(const ConvGeometry& g, const Tensor& weight);

  std::int64_t units_per_image() const;
  /// conv_input of some images -> y (as many, P, Q, K), starting from `bias` (K) unless that is
  /// null.
  struct Call {
    const float* input;
    const float* bias;
    float* y;
  };
  /// Units begin .. end, counted from the first of these images; `thread` as parallel_for gives it.
  void run(const Call& call, std::int64_t begin, std::int64_t end, int thread);

 private:
  ConvGeometry g_;
  bool bf16_;
  bool winograd_;
  Tensor weight_;   // as the algorithm wants it
  Tensor scratch_;  // (threads, winograd_scratch)
  PoolArray<blis::Bf16> bf16_weight_;
  PoolArray<blis::Bf16> bf16_scratch_;  // (threads, bf16_scratch)
};

/// The gradient of the weight.
class ConvWeightGradient {
 public:
  /// Of a batch like g's, added to the elements of grad_weight (R, S, C/groups, K).
  ConvWeightGradient(const ConvGeometry& g, Tensor grad_weight);

  /// Each `run` but the last must bring so many images or a multiple of it.
  std::int64_t images_together() const;
  /// The conv_input of some images, g.n at most, and the gradient of their outputs (n, P, Q, K).
  /// Uses all threads.
  void run(const Tensor& input, const Tensor& grad_y);
  /// Once, after the last `run`; before it some of the gradient may be missing. REQUIRES: a `run`.
  void finish();

 private:
  ConvGeometry g_;
  Tensor grad_weight_;
  std::optional<WinogradWeightGradient> winograd_;
};

/// Adds to grad_bias (K) the sums of grad_y (N, P, Q, K). Uses all threads.
void conv_backward_bias(const Tensor& grad_y, Tensor& grad_bias);

/// The gradient of the images.
class ConvDataGradient {
 public:
  ConvDataGradient(const ConvGeometry& g, const Tensor& weight);
  /// The gradient of some outputs (n, P, Q, K) -> that of their images, grad_x (n, H, W, C). Uses
  /// all threads.
  void run(const Tensor& grad_y, Tensor grad_x);

 private:
  ConvGeometry g_;
  Tensor weight_;                       // as gather_data_gradient wants it
  ConvGeometry gather_;                 // of the convolution that gives the gradient, with stride 1
  std::optional<ConvForward> forward_;  // that one, or none: conv2d_gather.h does it
};

}  // namespace convoy::nn
