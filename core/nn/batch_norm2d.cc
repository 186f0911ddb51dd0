#include "core/nn/batch_norm2d.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/nn/batch_norm2d_kernel.h"
#include "core/nn/init.h"
#include "core/tensor/pool_array.h"

namespace convoy::nn {
namespace {

// Two sums per channel over this rank's pixels, then the number of pixels. Pixels are cut into
// pieces whose number depends on nothing but theirs, and pieces are added in order: the same bits
// for any number of threads. `kernel(begin, pixels, sums)` adds those of some pixels.
template <typename Kernel>
PoolArray<double> channel_sums(std::int64_t pixels, std::int64_t channels, const Kernel& kernel) {
  const std::int64_t pieces = std::clamp<std::int64_t>(pixels / 64, 1, 64);
  PoolArray<double> partial(pieces * 2 * channels);
  parallel_for(pieces, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      double* sums = partial.data() + piece * 2 * channels;
      std::fill_n(sums, 2 * channels, 0.0);
      const std::int64_t first = pixels * piece / pieces;
      kernel(first, pixels * (piece + 1) / pieces - first, sums);
    }
  });
  PoolArray<double> sums(2 * channels + 1);
  std::ranges::fill(sums.values(), 0.0);
  for (std::int64_t i = 0; i < pieces * 2 * channels; ++i) {
    sums[i % (2 * channels)] += partial[i];
  }
  sums[2 * channels] = static_cast<double>(pixels);
  return sums;
}

std::int64_t pixels_of(const Shape& x) {
  return x.n() * x.h() * x.w();
}

class BatchNorm2dNode : public Node {
 public:
  struct Inputs {
    GradSlot slot;
    Tensor x;
    Tensor mean;
    Tensor inverse_deviation;
    Tensor scale;  ///< inverse_deviation * weight
    bool of_batch;
    Parameter* weight;  ///< null if not affine
    Parameter* bias;
  };

  explicit BatchNorm2dNode(Inputs inputs)
      : in_(std::move(inputs)), parameters_{in_.weight, in_.bias} {}

  std::string_view name() const override { return "BatchNorm2d"; }
  std::span<Parameter* const> parameters() const override {
    return in_.weight == nullptr ? std::span<Parameter* const>() : parameters_;
  }

  void backward(Tape& tape, Tensor grad_output) override {
    const std::int64_t channels = in_.x.shape().c();
    PoolArray<double> sums = channel_sums(pixels_of(in_.x.shape()), channels,
                                          [&, kernel = batch_norm_gradient_sums_kernel()](
                                              std::int64_t first, std::int64_t pixels, double* to) {
                                            kernel(in_.x.data() + first * channels,
                                                   grad_output.data() + first * channels, pixels,
                                                   channels, in_.mean.data(), to);
                                          });
    if (in_.weight != nullptr) {  // this rank's share; the reducer adds up the others'
      for (std::int64_t c = 0; c < channels; ++c) {
        in_.bias->grad().data()[c] += static_cast<float>(sums[c]);
        in_.weight->grad().data()[c] += static_cast<float>(
            sums[channels + c] * static_cast<double>(in_.inverse_deviation.data()[c]));
      }
    }
    if (in_.slot) {
      propagate(tape, std::move(grad_output), std::move(sums));
    }
  }

 private:
  void propagate(Tape& tape, Tensor grad, PoolArray<double> sums) {
    const std::int64_t channels = in_.x.shape().c();
    Tensor mean_dy = Tensor::zeros({channels});
    Tensor slope = Tensor::zeros({channels});
    if (in_.of_batch) {  // else mean and variance are constants
      if (tape.context().all_reduce_sum) {
        tape.context().all_reduce_sum(sums.values());
      }
      const double count = sums[2 * channels];
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto inverse = static_cast<double>(in_.inverse_deviation.data()[c]);
        mean_dy.data()[c] = static_cast<float>(sums[c] / count);
        slope.data()[c] = static_cast<float>(sums[channels + c] / count * inverse * inverse);
      }
    }
    const auto kernel = batch_norm_gradient_kernel();
    parallel_for(pixels_of(in_.x.shape()), [&](std::int64_t begin, std::int64_t end, int) {
      kernel(in_.x.data() + begin * channels, end - begin, channels, in_.mean.data(),
             in_.scale.data(), mean_dy.data(), slope.data(), grad.data() + begin * channels);
    });
    tape.add_grad(in_.slot, std::move(grad));
  }

  Inputs in_;
  std::array<Parameter*, 2> parameters_;
};

Parameter::Options channel_options(std::int64_t channels, float value, bool trainable) {
  return {.shape = {std::max<std::int64_t>(channels, 0)},
          .initializer = constant(value),
          .trainable = trainable};
}

}  // namespace

BatchNorm2d::BatchNorm2d(BatchNorm2dOptions options)
    : options_(options),
      weight_(channel_options(options.num_features, 1.0F, true)),
      bias_(channel_options(options.num_features, 0.0F, true)),
      running_mean_(channel_options(options.num_features, 0.0F, false)),
      running_var_(channel_options(options.num_features, 1.0F, false)),
      num_batches_tracked_(
          {.shape = {}, .initializer = constant(0.0F), .trainable = false, .integer = true}) {
  check(options_.num_features >= 1, "BatchNorm2d: num_features {} must be at least 1",
        options_.num_features);
  if (options_.affine) {
    register_parameter("weight", weight_);
    register_parameter("bias", bias_);
  }
  if (options_.track_running_stats) {
    register_parameter("running_mean", running_mean_);
    register_parameter("running_var", running_var_);
    register_parameter("num_batches_tracked", num_batches_tracked_);
  }
}

Shape BatchNorm2d::output_shape(const Shape& x) const {
  check(x.rank() == 4, "BatchNorm2d: expected images (N, C, H, W), got {}", x.str());
  check(x.c() == options_.num_features, "BatchNorm2d: {} channels in {}, but num_features is {}",
        x.c(), torch_order_str(x), options_.num_features);
  return x;
}

std::string BatchNorm2d::describe() const {
  return fmt::format("BatchNorm2d({}, eps={}, momentum={}, affine={}, track_running_stats={})",
                     options_.num_features, options_.eps,
                     options_.momentum ? fmt::format("{}", *options_.momentum) : "None",
                     options_.affine ? "True" : "False",
                     options_.track_running_stats ? "True" : "False");
}

void BatchNorm2d::take_batch_statistics(const Tape& tape, const Tensor& x, Tensor& mean,
                                        Tensor& variance) {
  const std::int64_t channels = options_.num_features;
  PoolArray<double> sums = channel_sums(
      pixels_of(x.shape()), channels,
      [&, kernel = batch_norm_sums_kernel()](std::int64_t first, std::int64_t pixels, double* to) {
        kernel(x.data() + first * channels, pixels, channels, to);
      });
  if (tape.context().all_reduce_sum) {
    tape.context().all_reduce_sum(sums.values());
  }
  const double count = sums[2 * channels];
  check(count > 1.0,
        "BatchNorm2d: training needs more than 1 value per channel, got {} in the global batch "
        "(here {})",
        count, torch_order_str(x.shape()));

  const bool track = tape.training() && options_.track_running_stats;
  double momentum = 0.0;
  if (track) {
    const float batches = num_batches_tracked_.value().data()[0] += 1.0F;
    momentum = options_.momentum.value_or(1.0 / static_cast<double>(batches));
  }
  for (std::int64_t c = 0; c < channels; ++c) {
    const double m = sums[c] / count;
    const double v = sums[channels + c] / count - m * m;
    // Rounding may leave a constant channel just below 0; NaN stays NaN.
    const double biased = v < 0.0 ? 0.0 : v;
    mean.data()[c] = static_cast<float>(m);
    variance.data()[c] = static_cast<float>(biased);
    if (track) {
      const auto move = [&](float& running, double value) {
        running =
            static_cast<float>((1.0 - momentum) * static_cast<double>(running) + momentum * value);
      };
      move(running_mean_.value().data()[c], m);
      move(running_var_.value().data()[c], biased * count / (count - 1.0));
    }
  }
}

Variable BatchNorm2d::forward(Tape& tape, const Variable& x) {
  const Shape shape = output_shape(x.shape());
  const std::int64_t channels = options_.num_features;
  const bool of_batch = tape.training() || !options_.track_running_stats;
  Tensor mean({channels});
  Tensor variance({channels});
  if (of_batch) {
    take_batch_statistics(tape, x.value(), mean, variance);
  } else {
    std::ranges::copy(running_mean_.value().values(), mean.data());
    std::ranges::copy(running_var_.value().values(), variance.data());
  }

  Tensor& inverse_deviation = variance;
  Tensor scale({channels});
  Tensor shift({channels});
  for (std::int64_t c = 0; c < channels; ++c) {
    const double inverse = 1.0 / std::sqrt(static_cast<double>(variance.data()[c]) + options_.eps);
    inverse_deviation.data()[c] = static_cast<float>(inverse);
    const float weight = options_.affine ? weight_.value().data()[c] : 1.0F;
    scale.data()[c] = static_cast<float>(inverse * static_cast<double>(weight));
    shift.data()[c] = options_.affine ? bias_.value().data()[c] : 0.0F;
  }

  Tensor y(shape);
  const auto kernel = batch_norm_apply_kernel();
  parallel_for(pixels_of(shape), [&](std::int64_t begin, std::int64_t end, int) {
    kernel(x.value().data() + begin * channels, end - begin, channels, mean.data(), scale.data(),
           shift.data(), y.data() + begin * channels);
  });
  if (!tape.recording() || (!options_.affine && !x.requires_grad())) {
    return y;
  }
  return tape.record(std::move(y), std::make_unique<BatchNorm2dNode>(BatchNorm2dNode::Inputs{
                                       .slot = x.slot(),
                                       .x = x.value(),
                                       .mean = std::move(mean),
                                       .inverse_deviation = std::move(inverse_deviation),
                                       .scale = std::move(scale),
                                       .of_batch = of_batch,
                                       .weight = options_.affine ? &weight_ : nullptr,
                                       .bias = options_.affine ? &bias_ : nullptr}));
}

}  // namespace convoy::nn
