#include "core/nn/conv2d_geometry.h"

#include "core/base/check.h"

namespace convoy::nn {
namespace {

// Sizes up to here cannot overflow the products of this file.
constexpr std::int64_t kMaxSize = std::int64_t{1} << 24;

void check_size(const char* name, Size2 size, std::int64_t least) {
  check(size.h >= least && size.w >= least && size.h <= kMaxSize && size.w <= kMaxSize,
        "Conv2d: {} {} must be at least {} and at most {}", name, size.str(), least, kMaxSize);
}

const char* mode_name(PaddingMode mode) {
  return mode == PaddingMode::kReflect ? "reflect" : "circular";
}

// Padding that repeats the image must find enough of it.
void check_mode(const ConvGeometry& g) {
  const bool reflect = g.mode == PaddingMode::kReflect;
  if (!g.has_padding() || (!reflect && g.mode != PaddingMode::kCircular)) {
    return;
  }
  const std::int64_t most_h = reflect ? g.h - 1 : g.h;
  const std::int64_t most_w = reflect ? g.w - 1 : g.w;
  check(
      std::max(g.top, g.bottom) <= most_h && std::max(g.left, g.right) <= most_w,
      "Conv2d: {} padding of ({}, {}) rows and ({}, {}) columns does not fit an image of ({}, {}): "
      "at most ({}, {})",
      mode_name(g.mode), g.top, g.bottom, g.left, g.right, g.h, g.w, most_h, most_w);
}

}  // namespace

void check_options(const Conv2dOptions& o) {
  check(o.in_channels >= 1 && o.out_channels >= 1 && o.in_channels <= kMaxSize &&
            o.out_channels <= kMaxSize,
        "Conv2d: in_channels {} and out_channels {} must be at least 1 and at most {}",
        o.in_channels, o.out_channels, kMaxSize);
  check(o.groups >= 1, "Conv2d: groups {} must be at least 1", o.groups);
  check(o.in_channels % o.groups == 0, "Conv2d: in_channels {} must be divisible by groups {}",
        o.in_channels, o.groups);
  check(o.out_channels % o.groups == 0, "Conv2d: out_channels {} must be divisible by groups {}",
        o.out_channels, o.groups);
  check_size("kernel_size", o.kernel_size, 1);
  check_size("stride", o.stride, 1);
  check_size("dilation", o.dilation, 1);
  check_size("padding", o.padding.size, 0);
  check(o.padding.kind != Padding::Kind::kSame || o.stride == Size2(1),
        "Conv2d: padding 'same' needs stride 1, not {}", o.stride.str());
  check_precision(o.precision);
}

ConvGeometry geometry(const Conv2dOptions& o, const Shape& x) {
  check(x.rank() == 4, "Conv2d: the input must be a batch of images, not of shape {}", x.str());
  check(x.c() == o.in_channels, "Conv2d: the input {} has {} channels, but in_channels is {}",
        torch_order_str(x), x.c(), o.in_channels);
  ConvGeometry g{.n = x.n(),
                 .h = x.h(),
                 .w = x.w(),
                 .c = x.c(),
                 .k = o.out_channels,
                 .r = o.kernel_size.h,
                 .s = o.kernel_size.w,
                 .groups = o.groups,
                 .stride = o.stride,
                 .dilation = o.dilation,
                 .top = o.padding.size.h,
                 .bottom = o.padding.size.h,
                 .left = o.padding.size.w,
                 .right = o.padding.size.w,
                 .mode = o.padding_mode,
                 .precision = o.precision};
  const std::int64_t reach_h = g.dilation.h * (g.r - 1);
  const std::int64_t reach_w = g.dilation.w * (g.s - 1);
  if (o.padding.kind == Padding::Kind::kSame) {
    g.top = reach_h / 2;
    g.bottom = reach_h - g.top;
    g.left = reach_w / 2;
    g.right = reach_w - g.left;
  }
  check_mode(g);
  check(
      g.padded_h() > reach_h && g.padded_w() > reach_w,
      "Conv2d: the padded input ({}, {}) is smaller than the kernel {}, which spans ({}, {}) with "
      "dilation {}",
      g.padded_h(), g.padded_w(), o.kernel_size.str(), reach_h + 1, reach_w + 1, o.dilation.str());
  g.p = (g.padded_h() - reach_h - 1) / g.stride.h + 1;
  g.q = (g.padded_w() - reach_w - 1) / g.stride.w + 1;
  return g;
}

}  // namespace convoy::nn
