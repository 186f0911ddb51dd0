// The optimizer's step on all ranks, given the sum of gradients: either each rank updates all
// weights alike, or (sharded) each its own chunks, and then they tell each other.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/autograd/parameter.h"
#include "core/optim/optimizer.h"
#include "dist/communicator.h"
#include "dist/partition.h"
#include "dist/shared_store.h"

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
    SharedStore* shared = nullptr;  ///< where the ranks' weights lie, if they share memory
  };

  struct Options {
    bool sharded = false;
    std::optional<double> clip_norm = {};
    bool check_finite = false;  ///< look at the gradient even if it is not clipped
  };

  /// Throws Error if the optimizer owns another number of values.
  Updater(const Parts& parts, Options options);

  /// Divides the sum of gradients by `images` and takes a step. Returns false, on all ranks alike,
  /// if the gradient was looked at and is not finite; nothing has changed then, and a SharedStore's
  /// step has not ended.
  bool update(std::int64_t images, double lr);

  /// The optimizer's state for all values; a sharded one's on rank 0 only, elsewhere empty tensors.
  std::vector<optim::Optimizer::State> state();
  /// Takes its part of a whole state. Throws Error if it was another optimizer's.
  void restore(const std::vector<optim::Optimizer::State>& whole, std::int64_t optimizer_step);

 private:
  double gradient_norm();

  Parts parts_;
  Options options_;
  std::vector<Range> own_;  // sharded: this rank's chunks
};

}  // namespace convoy::dist
