#include "core/nn/conv2d_pad.h"

#include <algorithm>

#include "core/base/parallel.h"

namespace convoy::nn {
namespace {

// Where in [0, size) the padded position `i` (0 is the first of the image) copies from; -1 for a
// zero.
std::int64_t source(PaddingMode mode, std::int64_t i, std::int64_t size) {
  if (i >= 0 && i < size) {
    return i;
  }
  switch (mode) {
    case PaddingMode::kReflect:
      return i < 0 ? -i : 2 * (size - 1) - i;
    case PaddingMode::kReplicate:
      return i < 0 ? 0 : size - 1;
    case PaddingMode::kCircular:
      return i < 0 ? i + size : i - size;
    case PaddingMode::kZeros:
      break;
  }
  return -1;
}

}  // namespace

Tensor window(const Tensor& x, std::int64_t top, std::int64_t left, std::int64_t rows,
              std::int64_t columns) {
  const Shape& in = x.shape();
  const std::int64_t c = in.c();
  Tensor y({in.n(), rows, columns, c});
  const std::int64_t first = std::clamp<std::int64_t>(-left, 0, columns);
  const std::int64_t last = std::clamp<std::int64_t>(in.w() - left, first, columns);
  parallel_for(in.n() * rows, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i % rows + top;
      float* out = y.data() + i * columns * c;
      if (row < 0 || row >= in.h()) {
        std::fill_n(out, columns * c, 0.0F);
        continue;
      }
      const float* from = x.data() + ((i / rows * in.h() + row) * in.w() + left) * c;
      std::fill_n(out, first * c, 0.0F);
      std::copy(from + first * c, from + last * c, out + first * c);
      std::fill(out + last * c, out + columns * c, 0.0F);
    }
  });
  return y;
}

Tensor pad(const ConvGeometry& g, const Tensor& x) {
  if (!g.has_padding()) {
    return x;
  }
  if (g.mode == PaddingMode::kZeros) {
    return window(x, -g.top, -g.left, g.padded_h(), g.padded_w());
  }
  Tensor padded({x.shape().n(), g.padded_h(), g.padded_w(), g.c});
  parallel_for(x.shape().n() * g.padded_h(), [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = source(g.mode, i % g.padded_h() - g.top, g.h);
      const float* from = x.data() + (i / g.padded_h() * g.h + row) * g.w * g.c;
      float* to = padded.data() + i * g.padded_w() * g.c;
      for (std::int64_t column = 0; column < g.padded_w(); ++column) {
        to = std::copy_n(from + source(g.mode, column - g.left, g.w) * g.c, g.c, to);
      }
    }
  });
  return padded;
}

Tensor unpad(const ConvGeometry& g, const Tensor& padded) {
  if (!g.has_padding()) {
    return padded;
  }
  if (g.mode == PaddingMode::kZeros) {
    return window(padded, g.top, g.left, g.h, g.w);
  }
  Tensor x = Tensor::zeros({padded.shape().n(), g.h, g.w, g.c});
  parallel_for(padded.shape().n(), [&](std::int64_t begin, std::int64_t end, int) {
    const float* from = padded.data() + begin * g.padded_h() * g.padded_w() * g.c;
    for (std::int64_t i = begin * g.padded_h(); i < end * g.padded_h(); ++i) {
      const std::int64_t row = source(g.mode, i % g.padded_h() - g.top, g.h);
      for (std::int64_t column = 0; column < g.padded_w(); ++column, from += g.c) {
        float* to =
            x.data() +
            ((i / g.padded_h() * g.h + row) * g.w + source(g.mode, column - g.left, g.w)) * g.c;
        for (std::int64_t c = 0; c < g.c; ++c) {
          to[c] += from[c];
        }
      }
    }
  });
  return x;
}

}  // namespace convoy::nn
