#include "core/nn/avg_pool2d.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/nn/pooling.h"

namespace convoy::nn {
namespace {

PoolWindow window_of(const AvgPool2dOptions& options) {
  return {.kernel_size = options.kernel_size,
          .stride = options.stride.value_or(options.kernel_size),
          .padding = options.padding,
          .ceil_mode = options.ceil_mode};
}

// What one window covers along one axis.
struct Extent {
  std::int64_t begin, end;  ///< within the image
  std::int64_t padded;      ///< its length with the padding
};

Extent extent_of(std::int64_t window, std::int64_t stride, std::int64_t padding,
                 std::int64_t kernel, std::int64_t size) {
  const std::int64_t begin = window * stride - padding;
  const std::int64_t end = std::min(begin + kernel, size + padding);
  return {std::max<std::int64_t>(begin, 0), std::min(end, size), end - begin};
}

// Where the windows lie and what each divides its sum by.
struct Averaging {
  PoolGeometry g;
  bool count_include_pad;
  std::optional<std::int64_t> divisor_override;

  Extent rows(std::int64_t p) const {
    return extent_of(p, g.stride_h, g.padding_h, g.window_h, g.h);
  }
  Extent columns(std::int64_t q) const {
    return extent_of(q, g.stride_w, g.padding_w, g.window_w, g.w);
  }
  float divisor(const Extent& rows, const Extent& columns) const {
    return static_cast<float>(divisor_override ? *divisor_override
                              : count_include_pad
                                  ? rows.padded * columns.padded
                                  : (rows.end - rows.begin) * (columns.end - columns.begin));
  }
};

class AvgPool2dNode : public Node {
 public:
  AvgPool2dNode(GradSlot input, const Averaging& averaging)
      : input_(input), averaging_(averaging) {}

  std::string_view name() const override { return "AvgPool2d"; }

  void backward(Tape& tape, Tensor grad_output) override {
    const PoolGeometry& g = averaging_.g;
    const std::int64_t images = grad_output.shape().n();
    Tensor dx({images, g.h, g.w, g.c});
    parallel_for(images * g.h, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t row = begin; row < end; ++row) {
        gather_row(grad_output.data(), dx.data(), row);
      }
    });
    tape.add_grad(input_, std::move(dx));
  }

 private:
  // Row `row` of all images': adds up what the windows over it give.
  void gather_row(const float* dy, float* dx, std::int64_t row) const {
    const PoolGeometry& g = averaging_.g;
    const std::int64_t h = row % g.h;
    float* to_row = dx + row * g.w * g.c;
    std::fill_n(to_row, g.w * g.c, 0.0F);
    const std::int64_t last = std::min(g.p - 1, (h + g.padding_h) / g.stride_h);
    const std::int64_t beyond = std::max<std::int64_t>(0, h + g.padding_h - g.window_h + 1);
    for (std::int64_t p = (beyond + g.stride_h - 1) / g.stride_h; p <= last; ++p) {
      for (std::int64_t q = 0; q < g.q; ++q) {
        const Extent columns = averaging_.columns(q);
        const float divisor = averaging_.divisor(averaging_.rows(p), columns);
        const float* from = dy + ((row / g.h * g.p + p) * g.q + q) * g.c;
        for (std::int64_t w = columns.begin; w < columns.end; ++w) {
          float* to = to_row + w * g.c;
          for (std::int64_t c = 0; c < g.c; ++c) {
            to[c] += from[c] / divisor;
          }
        }
      }
    }
  }

  GradSlot input_;
  Averaging averaging_;
};

}  // namespace

AvgPool2d::AvgPool2d(AvgPool2dOptions options) : options_(options) {
  check_window("AvgPool2d", window_of(options_));
  check(options_.divisor_override != 0, "AvgPool2d: divisor_override must not be 0");
}

Shape AvgPool2d::output_shape(const Shape& x) const {
  const PoolGeometry g = pool_geometry("AvgPool2d", window_of(options_), x);
  return {x.n(), g.p, g.q, x.c()};
}

std::string AvgPool2d::describe() const {
  const PoolWindow window = window_of(options_);
  return fmt::format("AvgPool2d(kernel_size={}, stride={}, padding={})",
                     window.kernel_size.short_str(), window.stride.short_str(),
                     window.padding.short_str());
}

Variable AvgPool2d::forward(Tape& tape, const Variable& x) {
  const Averaging averaging = {.g = pool_geometry("AvgPool2d", window_of(options_), x.shape()),
                               .count_include_pad = options_.count_include_pad,
                               .divisor_override = options_.divisor_override};
  const PoolGeometry& g = averaging.g;
  Tensor y({x.shape().n(), g.p, g.q, g.c});
  parallel_for(x.shape().n() * g.p, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* image = x.value().data() + row / g.p * g.h * g.w * g.c;
      const Extent rows = averaging.rows(row % g.p);
      for (std::int64_t q = 0; q < g.q; ++q) {
        const Extent columns = averaging.columns(q);
        float* to = y.data() + (row * g.q + q) * g.c;
        std::fill_n(to, g.c, 0.0F);
        for (std::int64_t h = rows.begin; h < rows.end; ++h) {
          for (std::int64_t w = columns.begin; w < columns.end; ++w) {
            const float* from = image + (h * g.w + w) * g.c;
            for (std::int64_t c = 0; c < g.c; ++c) {
              to[c] += from[c];
            }
          }
        }
        const float divisor = averaging.divisor(rows, columns);
        for (std::int64_t c = 0; c < g.c; ++c) {
          to[c] /= divisor;
        }
      }
    }
  });
  if (!tape.needs_grad(x)) {
    return y;
  }
  return tape.record(std::move(y), std::make_unique<AvgPool2dNode>(x.slot(), averaging));
}

}  // namespace convoy::nn
