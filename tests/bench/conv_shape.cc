#include "tests/bench/conv_shape.h"

#include <fmt/format.h>

#include <cstdio>

#include "core/base/check.h"

namespace convoy::bench {

double ConvShape::flop() const {
  return 2.0 * static_cast<double>(n * out_side() * out_side()) *
         static_cast<double>(k * c * kernel * kernel);
}

std::string ConvShape::name() const {
  return fmt::format("Conv/{},{},{},{},{},{},{}", n, c, side, k, kernel, stride, padding);
}

std::vector<ConvShape> conv_shapes(std::span<const char* const> texts) {
  std::vector<ConvShape> shapes;
  for (const char* text : texts) {
    ConvShape s;
    char rest = 0;
    // NOLINTNEXTLINE(cert-err34-c): a number out of range fails the check below
    const int read = std::sscanf(text, "%ld,%ld,%ld,%ld,%ld,%ld,%ld%c", &s.n, &s.c, &s.side, &s.k,
                                 &s.kernel, &s.stride, &s.padding, &rest);
    check(read == 7 && s.n > 0 && s.c > 0 && s.k > 0 && s.kernel > 0 && s.stride > 0 &&
              s.padding >= 0 && s.side + 2 * s.padding >= s.kernel,
          "{}: not a convolution; expected N,C,SIDE,K,KERNEL,STRIDE,PADDING", text);
    shapes.push_back(s);
  }
  return shapes;
}

}  // namespace convoy::bench
