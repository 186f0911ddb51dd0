// Adam (Kingma and Ba, ICLR 2015) and AdamW (Loshchilov and Hutter, ICLR 2019), with the formulas
// and rounding order of PyTorch 1.13. https://pytorch.org/docs/1.13/generated/torch.optim.Adam.html
#pragma once

#include <array>

#include "core/optim/optimizer.h"

namespace convoy::optim {

struct AdamOptions {
  std::array<double, 2> betas = {0.9, 0.999};  ///< each in [0, 1)
  double eps = 1e-8;                           ///< positive
  double weight_decay = 0.0;
  /// AdamW: shrink the values themselves. PyTorch's AdamW has a weight_decay of 0.01 by default.
  bool decoupled_weight_decay = false;
};

/// In step t, for each value p with gradient g:
///   if decoupled: p *= 1 - lr * weight_decay;  otherwise: g += weight_decay * p
///   m = betas[0] * m + (1 - betas[0]) * g
///   v = betas[1] * v + (1 - betas[1]) * g^2
///   p -= lr / (1 - betas[0]^t) * m / (sqrt(v) / sqrt(1 - betas[1]^t) + eps)
/// Elements that stay without gradient stay as they are (but for weight decay). Not thread safe;
/// `update` uses all threads. State: `exp_avg` (m), `exp_avg_sq` (v). amsgrad is left out.
class Adam : public Optimizer {
 public:
  /// For a range of `elements` values, to whose start `update`'s offset refers; may be 0. Throws
  /// Error for options out of their range. eps = 0, which PyTorch takes, is refused: it makes
  /// values without gradient 0 / 0.
  explicit Adam(std::int64_t elements, AdamOptions options = {});

  /// Throws Error if the range reaches past the elements, or before the first begin_step.
  void update(std::span<float> values, std::span<const float> gradients, std::int64_t offset,
              const Update& update) override;
  std::vector<State> state() override;
  std::string describe() const override;
  const AdamOptions& options() const { return options_; }

 private:
  AdamOptions options_;
  Tensor exp_avg_;
  Tensor exp_avg_sq_;
};

}  // namespace convoy::optim
