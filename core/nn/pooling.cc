#include "core/nn/pooling.h"

#include "core/base/check.h"

namespace convoy::nn {
namespace {

// PyTorch's limit for the numbers of a window; it also keeps the products below within 64 bits.
constexpr std::int64_t kLargest = 0x7fffffff;

void check_range(std::string_view layer, std::string_view what, Size2 size, std::int64_t least) {
  check(size.h >= least && size.w >= least && size.h <= kLargest && size.w <= kLargest,
        "{}: {} {} must lie within {} and {}", layer, what, size.str(), least, kLargest);
}

std::int64_t windows_along(std::int64_t extent, std::int64_t kernel, std::int64_t stride,
                           std::int64_t padding, std::int64_t dilation, bool ceil_mode) {
  const std::int64_t room = extent + 2 * padding - dilation * (kernel - 1) - 1;
  if (room < 0 && (!ceil_mode || room <= -stride)) {
    return 0;
  }
  const std::int64_t count = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  return ceil_mode && (count - 1) * stride >= extent + padding ? count - 1 : count;
}

}  // namespace

void check_window(std::string_view layer, const PoolWindow& window) {
  check_range(layer, "kernel_size", window.kernel_size, 1);
  check_range(layer, "stride", window.stride, 1);
  check_range(layer, "padding", window.padding, 0);
  check_range(layer, "dilation", window.dilation, 1);
  check(
      window.padding.h <= window.kernel_size.h / 2 && window.padding.w <= window.kernel_size.w / 2,
      "{}: padding {} must be at most half of kernel_size {}", layer, window.padding.str(),
      window.kernel_size.str());
}

PoolGeometry pool_geometry(std::string_view layer, const PoolWindow& window, const Shape& x) {
  check(x.rank() == 4 && x.h() > 0 && x.w() > 0 && x.c() > 0,
        "{}: expected images (N, C, H, W) with C, H and W positive, got {}", layer,
        torch_order_str(x));
  const auto [kernel, stride, padding, dilation, ceil_mode] = window;
  const std::int64_t p = windows_along(x.h(), kernel.h, stride.h, padding.h, dilation.h, ceil_mode);
  const std::int64_t q = windows_along(x.w(), kernel.w, stride.w, padding.w, dilation.w, ceil_mode);
  check(p > 0 && q > 0,
        "{}: input {} gives output size {}x{}, too small: kernel_size {}, stride {}, padding {}, "
        "dilation {}",
        layer, torch_order_str(x), p, q, kernel.str(), stride.str(), padding.str(), dilation.str());
  return {.h = x.h(),
          .w = x.w(),
          .c = x.c(),
          .p = p,
          .q = q,
          .window_h = kernel.h,
          .window_w = kernel.w,
          .stride_h = stride.h,
          .stride_w = stride.w,
          .padding_h = padding.h,
          .padding_w = padding.w,
          .dilation_h = dilation.h,
          .dilation_w = dilation.w};
}

}  // namespace convoy::nn
