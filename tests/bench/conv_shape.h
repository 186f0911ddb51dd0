// The shape of one convolution, as convoy_bench and onednn_bench take it on their command line.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace convoy::bench {

/// A square convolution: images (n, side, side, c) -> (n, out_side(), out_side(), k).
struct ConvShape {
  std::int64_t n = 0;
  std::int64_t c = 0;
  std::int64_t side = 0;
  std::int64_t k = 0;
  std::int64_t kernel = 0;
  std::int64_t stride = 1;
  std::int64_t padding = 0;

  std::int64_t out_side() const { return (side + 2 * padding - kernel) / stride + 1; }
  /// Of forward, and as many of each gradient, summed directly; a multiply-add counts as two. An
  /// algorithm that needs fewer is measured by the same number, so it may exceed the peak.
  double flop() const;
  /// "Conv/32,64,14,128,3,1,1": what the shape was given as.
  std::string name() const;
  bool operator==(const ConvShape&) const = default;
};

/// Reads "N,C,SIDE,K,KERNEL,STRIDE,PADDING" of each text; throws Error for one that is no shape.
std::vector<ConvShape> conv_shapes(std::span<const char* const> texts);

}  // namespace convoy::bench
