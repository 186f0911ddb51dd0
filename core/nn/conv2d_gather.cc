#include "core/nn/conv2d_gather.h"

#include <algorithm>
#include <numeric>

#include "core/base/parallel.h"
#include "core/nn/conv2d_direct.h"
#include "core/nn/conv2d_pad.h"
#include "core/tensor/transpose.h"

namespace convoy::nn {
namespace {

// Height or width of a convolution: of the gradient that is wanted, and how it was made.
struct Axis {
  std::int64_t size;    // pixels
  std::int64_t before;  // padding in front of them
  std::int64_t taps;
  std::int64_t stride;
  std::int64_t dilation;
};

// Every stride-th pixel, and the taps they are made of, the last first.
struct Residue {
  std::int64_t first;  // pixel
  std::int64_t pixels;
  std::int64_t taps;
  std::int64_t last_tap;
  std::int64_t tap_step;
  std::int64_t start;     // output that the first pixel meets at the last tap; may lie outside
  std::int64_t dilation;  // outputs from one tap's to the next's

  std::int64_t end() const { return taps == 0 ? 0 : start + pixels + (taps - 1) * dilation; }
};

// Pixel i and tap t meet at output o if i + before = o * stride + t * dilation.
Residue residue(const Axis& axis, std::int64_t remainder) {
  Residue r{};
  r.first = ((remainder - axis.before) % axis.stride + axis.stride) % axis.stride;
  r.pixels = std::max<std::int64_t>((axis.size - r.first + axis.stride - 1) / axis.stride, 0);
  r.tap_step = axis.stride / std::gcd(axis.stride, axis.dilation);
  r.dilation = axis.dilation * r.tap_step / axis.stride;
  for (std::int64_t tap = 0; tap < std::min(axis.taps, r.tap_step); ++tap) {
    if (tap * axis.dilation % axis.stride == remainder) {
      r.taps = (axis.taps - 1 - tap) / r.tap_step + 1;
      r.last_tap = tap + (r.taps - 1) * r.tap_step;
      r.start = (r.first + axis.before - r.last_tap * axis.dilation) / axis.stride;
    }
  }
  return r;
}

Axis height(const ConvGeometry& g) {
  const bool inside = g.mode == PaddingMode::kZeros;
  return {inside ? g.h : g.padded_h(), inside ? g.top : 0, g.r, g.stride.h, g.dilation.h};
}

Axis width(const ConvGeometry& g) {
  const bool inside = g.mode == PaddingMode::kZeros;
  return {inside ? g.w : g.padded_w(), inside ? g.left : 0, g.s, g.stride.w, g.dilation.w};
}

// Calls visit(rows, columns, first tap in gather_weight) for all pixels.
template <typename Visit>
void for_each_residue(const ConvGeometry& g, const Visit& visit) {
  std::int64_t tap = 0;
  for (std::int64_t i = 0; i < g.stride.h; ++i) {
    for (std::int64_t j = 0; j < g.stride.w; ++j) {
      const Residue rows = residue(height(g), i);
      const Residue columns = residue(width(g), j);
      visit(rows, columns, tap);
      tap += rows.taps * columns.taps;
    }
  }
}

struct Margins {
  std::int64_t before = 0;
  std::int64_t after = 0;
};

// How far beyond `outputs` outputs an axis reaches.
Margins margins(const Axis& axis, std::int64_t outputs) {
  Margins m;
  for (std::int64_t i = 0; i < axis.stride; ++i) {
    const Residue r = residue(axis, i);
    m.before = std::max(m.before, -r.start);
    m.after = std::max(m.after, r.end() - outputs);
  }
  return m;
}

}  // namespace

Tensor gather_weight(const ConvGeometry& g, const Tensor& weight) {
  const std::int64_t c = g.c_per_group();
  const std::int64_t k = g.k_per_group();
  Tensor gathered({g.r, g.s, k, g.c});
  for_each_residue(g, [&](const Residue& rows, const Residue& columns, std::int64_t first) {
    parallel_for(rows.taps * columns.taps, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t tap = begin; tap < end; ++tap) {
        const std::int64_t r = rows.last_tap - tap / columns.taps * rows.tap_step;
        const std::int64_t s = columns.last_tap - tap % columns.taps * columns.tap_step;
        const float* from = weight.data() + (r * g.s + s) * c * g.k;
        float* to = gathered.data() + (first + tap) * k * g.c;
        for (std::int64_t group = 0; group < g.groups; ++group) {
          transpose({c, k, from + group * k, g.k, to + group * c, g.c});
        }
      }
    });
  });
  return gathered;
}

void gather_data_gradient(const ConvGeometry& g, const Tensor& grad_y, const Tensor& weight,
                          Tensor& grad) {
  const std::int64_t n = grad_y.shape().n();
  const Margins high = margins(height(g), g.p);
  const Margins wide = margins(width(g), g.q);
  const std::int64_t h = high.before + g.p + high.after;
  const std::int64_t w = wide.before + g.q + wide.after;
  const Tensor from =
      h == g.p && w == g.q ? grad_y : window(grad_y, -high.before, -wide.before, h, w);
  const std::int64_t grad_row = width(g).size * g.c;
  const OutputStrides strides{
      .image = height(g).size * grad_row, .row = g.stride.h * grad_row, .pixel = g.stride.w * g.c};
  for_each_residue(g, [&](const Residue& rows, const Residue& columns, std::int64_t tap) {
    const ConvGeometry part{.n = n,
                            .h = h,
                            .w = w,
                            .c = g.k,
                            .k = g.c,
                            .r = rows.taps,
                            .s = columns.taps,
                            .p = rows.pixels,
                            .q = columns.pixels,
                            .groups = g.groups,
                            .dilation = {rows.dilation, columns.dilation}};
    const std::int64_t corner = (high.before + rows.start) * w + wide.before + columns.start;
    const ConvArrays arrays{from.data() + corner * g.k, weight.data() + tap * g.k_per_group() * g.c,
                            nullptr, grad.data() + rows.first * grad_row + columns.first * g.c};
    parallel_for(n * part.p, [&](std::int64_t begin, std::int64_t end, int) {
      direct_forward(part, arrays, strides, begin, end);
    });
  });
}

}  // namespace convoy::nn
