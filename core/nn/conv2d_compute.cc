#include "core/nn/conv2d_compute.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/nn/conv2d_passes.h"
#include "core/nn/conv2d_pooled.h"
#include "core/nn/max_pool2d_kernel.h"
#include "core/nn/relu_kernel.h"

namespace convoy::nn {
namespace {

// Outputs, or their gradients, that are in the second-level cache at once, per thread.
constexpr std::int64_t kCachedBytes = 256 << 10;

std::int64_t image_elements(const Tensor& tensor) {
  return tensor.shape().n() == 0 ? 0 : tensor.elements() / tensor.shape().n();
}

// Of a whole convolution's output, before any pooling. The weight is read again for every group of
// images, so that a group is no smaller than half a large weight.
std::int64_t cached_images(const ConvGeometry& g) {
  constexpr std::int64_t kFloat = sizeof(float);
  const std::int64_t weight_bytes = g.r * g.s * g.c_per_group() * g.k * kFloat;
  const std::int64_t images = std::max(kCachedBytes, weight_bytes / 2) / (g.p * g.q * g.k * kFloat);
  return std::clamp<std::int64_t>(images, 1, std::max<std::int64_t>(g.n, 1));
}

std::int64_t winner_bytes(const PoolGeometry& pool) {
  return winners_are_bytes(pool) ? 1 : 4;
}

// The gradients that are wanted, from that of every output: of pooled ones image group by image
// group, so that it stays in the cache.
struct PixelGradients {
  Tensor* weight;
  Tensor* x;
};
void backward_pixels(const ConvGeometry& g, const ConvOperands& operands,
                     const ConvEpilogue& epilogue, const ConvOutput& output, const Tensor& grad_y,
                     const PixelGradients& gradients) {
  static const auto unpool = max_pool2d_backward_kernel();
  std::optional<ConvWeightGradient> weight;
  if (gradients.weight != nullptr) {
    weight.emplace(g, *gradients.weight);
  }
  std::optional<ConvDataGradient> data;
  if (gradients.x != nullptr) {
    data.emplace(g, operands.weight);
  }
  const std::int64_t together = weight ? weight->images_together() : 1;
  const std::int64_t step =
      epilogue.pool
          ? std::min((cached_images(g) * num_threads() + together - 1) / together * together, g.n)
          : g.n;
  Tensor cached({epilogue.pool ? step : 0, g.p, g.q, g.k});
  for (std::int64_t first = 0; first < g.n; first += step) {
    const std::int64_t count = std::min(step, g.n - first);
    const Tensor grad = images(epilogue.pool ? cached : grad_y, epilogue.pool ? 0 : first, count);
    if (epilogue.pool) {
      const std::int64_t before = first * image_elements(grad_y);
      parallel_for(count * g.p, [&](std::int64_t begin, std::int64_t end, int) {
        unpool(*epilogue.pool, grad_y.data() + before,
               output.winners.data() + before * winner_bytes(*epilogue.pool), cached.data(), begin,
               end);
      });
    }
    if (weight) {
      weight->run(images(operands.input, first, count), grad);
    }
    if (data) {
      data->run(grad, images(*gradients.x, first, count));
    }
  }
  if (weight) {
    weight->finish();
  }
}

}  // namespace

ConvOutput conv_forward(const ConvGeometry& g, const ConvOperands& operands,
                        const ConvEpilogue& epilogue, bool keep_winners) {
  static const auto pool = max_pool2d_forward_kernel();
  static const auto relu = relu_in_place_kernel();
  ConvForward forward(g, operands.weight);
  const std::int64_t units = forward.units_per_image();
  const std::int64_t p = epilogue.pool ? epilogue.pool->p : g.p;
  const std::int64_t q = epilogue.pool ? epilogue.pool->q : g.q;
  ConvOutput out{.y = Tensor({g.n, p, q, g.k}), .winners = {}};
  if (epilogue.pool && keep_winners) {
    out.winners = PoolArray<std::uint8_t>(out.y.elements() * winner_bytes(*epilogue.pool));
  }
  const std::int64_t whole = g.p * g.q * g.k;
  const std::int64_t row = q * g.k;
  // Pooled rows begin .. end of some images, and their ReLU.
  const auto finish = [&](const float* conv, std::int64_t image, std::int64_t begin,
                          std::int64_t end) {
    float* y = out.y.data() + image * p * row;
    if (epilogue.pool) {
      std::uint8_t* winners =
          keep_winners ? out.winners.data() + image * p * row * winner_bytes(*epilogue.pool)
                       : nullptr;
      pool(*epilogue.pool, conv, y, winners, begin, end);
    }
    // The largest rectified value is the largest value, rectified.
    if (epilogue.relu) {
      relu(y + begin * row, (end - begin) * row);
    }
  };
  const bool shares_are_even = g.n % num_threads() == 0 || g.n >= 4 * num_threads();
  if (epilogue.empty() || !shares_are_even) {
    Tensor conv = epilogue.pool ? Tensor({g.n, g.p, g.q, g.k}) : out.y;
    parallel_for(g.n * units, [&](std::int64_t begin, std::int64_t end, int thread) {
      forward.run({operands.input.data(), operands.bias.data(), conv.data()}, begin, end, thread);
    });
    parallel_for(g.n * p, [&](std::int64_t begin, std::int64_t end, int) {
      finish(conv.data(), 0, begin, end);
    });
    return out;
  }
  const std::int64_t step = cached_images(g);
  Tensor cached({epilogue.pool ? num_threads() : 0, step * whole});
  parallel_for(g.n, [&](std::int64_t begin, std::int64_t end, int thread) {
    for (std::int64_t first = begin; first < end; first += step) {
      const std::int64_t count = std::min(step, end - first);
      float* conv =
          epilogue.pool ? cached.data() + thread * step * whole : out.y.data() + first * whole;
      forward.run({operands.input.data() + first * image_elements(operands.input),
                   operands.bias.data(), conv},
                  0, count * units, thread);
      finish(conv, first, 0, count * p);
    }
  });
  return out;
}

void conv_backward(const ConvGeometry& g, const ConvOperands& operands,
                   const ConvEpilogue& epilogue, const ConvOutput& output, Tensor grad_y,
                   const ConvGradients& gradients) {
  static const auto unrelu = relu_backward_kernel();
  if (epilogue.relu) {
    parallel_for(grad_y.elements(), [&](std::int64_t begin, std::int64_t end, int) {
      unrelu(output.y.data() + begin, grad_y.data() + begin, end - begin);
    });
  }
  if (gradients.bias != nullptr) {
    conv_backward_bias(grad_y, *gradients.bias);
  }
  bool weight = true;
  bool data = gradients.x != nullptr;
  // In bf16 a product costs so little that going through all pixels is faster than visiting
  // winners.
  if (epilogue.pool && !bf16_backward_fits(g)) {
    const PooledGradient pooled{g, *epilogue.pool, grad_y, output.winners.data()};
    if (pooled_weight_fits(g, *epilogue.pool)) {
      pooled_backward_weight(pooled, operands.input, gradients.weight);
      weight = false;
    }
    if (data && pooled_data_fits(g, *epilogue.pool)) {
      pooled_backward_data(pooled, operands.weight, *gradients.x);
      data = false;
    }
  }
  if (weight || data) {
    backward_pixels(g, operands, epilogue, output, grad_y,
                    {weight ? &gradients.weight : nullptr, data ? gradients.x : nullptr});
  }
}

}  // namespace convoy::nn
