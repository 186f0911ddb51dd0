#include "core/nn/batch_norm2d_kernel.h"

namespace convoy::nn::CONVOY_ISA_NAMESPACE {
namespace {

using std::int64_t;

// Adds both terms of each pixel's elements to the sums, four pixels at a time: the sums then go
// through memory a quarter as often. `terms(i, c, first, second)` gives those of element i.
template <typename Terms>
void add_up(int64_t pixels, int64_t channels, double* __restrict sums, const Terms& terms) {
  double* __restrict firsts = sums;
  double* __restrict seconds = sums + channels;
  int64_t pixel = 0;
  for (; pixel + 4 <= pixels; pixel += 4) {
    const int64_t at = pixel * channels;
    for (int64_t c = 0; c < channels; ++c) {
      double a0, a1, a2, a3, b0, b1, b2, b3;
      terms(at + c, c, a0, b0);
      terms(at + channels + c, c, a1, b1);
      terms(at + 2 * channels + c, c, a2, b2);
      terms(at + 3 * channels + c, c, a3, b3);
      firsts[c] += (a0 + a1) + (a2 + a3);
      seconds[c] += (b0 + b1) + (b2 + b3);
    }
  }
  for (; pixel < pixels; ++pixel) {
    for (int64_t c = 0; c < channels; ++c) {
      double a, b;
      terms(pixel * channels + c, c, a, b);
      firsts[c] += a;
      seconds[c] += b;
    }
  }
}

}  // namespace

void batch_norm_sums(const float* __restrict x, int64_t pixels, int64_t channels, double* sums) {
  add_up(pixels, channels, sums, [x](int64_t i, int64_t, double& first, double& second) {
    first = static_cast<double>(x[i]);
    second = first * first;
  });
}

void batch_norm_apply(const float* __restrict x, int64_t pixels, int64_t channels,
                      const float* __restrict mean, const float* __restrict scale,
                      const float* __restrict shift, float* __restrict y) {
  for (int64_t pixel = 0; pixel < pixels; ++pixel, x += channels, y += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      y[c] = (x[c] - mean[c]) * scale[c] + shift[c];
    }
  }
}

void batch_norm_gradient_sums(const float* __restrict x, const float* __restrict dy, int64_t pixels,
                              int64_t channels, const float* __restrict mean, double* sums) {
  add_up(pixels, channels, sums, [=](int64_t i, int64_t c, double& first, double& second) {
    first = static_cast<double>(dy[i]);
    second = first * (static_cast<double>(x[i]) - static_cast<double>(mean[c]));
  });
}

void batch_norm_gradient(const float* __restrict x, int64_t pixels, int64_t channels,
                         const float* __restrict mean, const float* __restrict scale,
                         const float* __restrict mean_dy, const float* __restrict slope,
                         float* __restrict dy) {
  for (int64_t pixel = 0; pixel < pixels; ++pixel, x += channels, dy += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      dy[c] = (dy[c] - mean_dy[c] - (x[c] - mean[c]) * slope[c]) * scale[c];
    }
  }
}

}  // namespace convoy::nn::CONVOY_ISA_NAMESPACE
