// The gradient of a Linear's weight in float32, x^T grad_y: its two factors, as the product reads
// them, and the product, of all rows or some.
//
// Of few images the factors are much smaller than the product. So micro-shards, and ranks that
// share memory, leave the gradient at them, and the product is made where it is added up
// (dist/factored_gradients.h). As an idea: "sufficient factors", Xie et al., "Lighter-Communication
// Distributed Machine Learning via Sufficient Factor Broadcasting", UAI 2016.
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/tensor.h"

namespace convoy::nn {

/// Factors in memory that somebody else owns, for a weight (in, out). Others may read them there,
/// also in another process, once they have been told that they are there.
class LinearFactors {
 public:
  /// Floats that factors of at most so many images take.
  static std::int64_t floats(std::int64_t images, std::int64_t in, std::int64_t out);

  /// Takes factors that are in `memory`, which begins with a cache line, as they are.
  LinearFactors(std::span<float> memory, std::int64_t in, std::int64_t out);

  std::span<float> memory() const { return memory_; }

  /// There are none.
  void clear();
  /// Copies x (N, in) and grad_y (N, out) there. Uses all threads. Throws Error if N is too many.
  void assign(const Tensor& x, const Tensor& grad_y);
  /// Whether there are any; there are none in memory that is all zero.
  bool there() const;
  /// N. REQUIRES: there().
  std::int64_t images() const;

  /// The gradient's rows `first` to `first + count`, each of `out` floats, at `rows`; added to what
  /// is there if `accumulate`. Each element is one chain of multiply-adds by image. Runs on the
  /// calling thread. REQUIRES: there().
  void multiply(std::int64_t first, std::int64_t count, float* rows, bool accumulate) const;
  /// The number of rows that `multiply` makes fastest. REQUIRES: there().
  std::int64_t rows_at_once() const;

 private:
  struct Header;
  Header& header() const;
  float* grad_y() const;
  float* x_t(std::int64_t images) const;

  std::span<float> memory_;
  std::int64_t in_;
  std::int64_t out_;
};

}  // namespace convoy::nn
