// The optimizer's step on all ranks: either each rank updates all weights alike, or (sharded) each
// its own chunks. A bucket is updated as soon as the reducer hands out its gradient's sum, unless
// the whole gradient has to be looked at before.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/autograd/parameter.h"
#include "core/optim/optimizer.h"
#include "dist/communicator.h"
#include "dist/gradient_reducer.h"
#include "dist/partition.h"

namespace convoy::dist {

class Updater {
 public:
  /// All must outlive this. A sharded optimizer owns Partition::owned_elements(rank) values, in the
  /// order of the buckets; otherwise it owns all.
  struct Parts {
    ParameterStore& store;
    optim::Optimizer& optimizer;
    Communicator& communicator;
    const Partition& partition;
    GradientReducer& reducer;
  };

  struct Options {
    bool sharded = false;
    bool gather = true;  ///< if sharded, give each rank's chunks to all others
    std::optional<double> clip_norm = {};
    bool check_finite = false;  ///< look at the gradient even if it is not clipped
  };

  /// Throws Error if the optimizer owns another number of values.
  Updater(const Parts& parts, Options options);

  /// Takes the sum of gradients from the reducer, divides it by `images` and takes a step. Returns
  /// false, on all ranks alike, if the gradient was looked at and is not finite; nothing has
  /// changed then.
  bool update(std::int64_t images, double lr);

  /// The optimizer's state for all values; a sharded one's on rank 0 only, elsewhere empty tensors.
  std::vector<optim::Optimizer::State> state();
  /// Takes its part of a whole state. Throws Error if it was another optimizer's.
  void restore(const std::vector<optim::Optimizer::State>& whole, std::int64_t optimizer_step);

 private:
  // What this rank updates of a bucket, and where that begins in the optimizer's state.
  struct Own {
    Range range;
    std::int64_t offset;
  };

  bool looks_at_gradient() const { return options_.clip_norm || options_.check_finite; }
  double gradient_norm();
  void update(const Own& own, const optim::Optimizer::Update& update);

  Parts parts_;
  Options options_;
  std::vector<Own> own_;  // by bucket
};

}  // namespace convoy::dist
