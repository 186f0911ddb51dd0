// One rank's share of a training step, up to the gradient: forward and backward over its part of
// the global batch, shard by shard.
//
// As a rule a rank's part is one shard. In reproducible mode the batch is cut into a fixed number
// of micro-shards, of which a rank has several, and each is on its own: batch norm uses its
// statistics, and its gradient is added to others' in the order of the ShardTree.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/autograd/parameter.h"
#include "core/autograd/tape.h"
#include "core/data/batch.h"
#include "core/data/sampler.h"
#include "core/nn/module.h"
#include "dist/communicator.h"
#include "dist/factored_gradients.h"
#include "dist/gradient_reducer.h"
#include "dist/shard_tree.h"

namespace convoy::dist {

class ShardRunner {
 public:
  /// All must outlive this.
  struct Parts {
    nn::Module& model;
    ParameterStore& store;
    const data::BatchLoader& loader;
    Communicator& communicator;
    const ShardTree& tree;
    GradientReducer& reducer;
    FactoredGradients& factored;
  };

  struct Options {
    std::int64_t batch_size = 32;  ///< images of all ranks that go forward at once
    std::uint64_t seed = 0;
    double label_smoothing = 0.0;
    bool reproducible = false;
  };

  ShardRunner(const Parts& parts, Options options);

  /// Runs this rank's shards of `global_batch` (ids) and hands their partial sums to the reducer,
  /// whose finish() then gives the sum of all. Adds the ids to `seen`. This rank's counts are added
  /// to `report`, which then leaves.
  void run(std::span<const std::int64_t> global_batch, std::int64_t epoch, std::int64_t step,
           const StepReport& report, data::IdDigest& seen);

 private:
  void run_node(Range node, std::size_t depth, Tensor sum);
  void run_leaf(int shard);
  void run_slice(Range slice, bool last);
  void reconcile_buffers();

  Parts parts_;
  Options options_;
  Tape tape_;
  data::Batch batch_;
  std::vector<Tensor> partials_;                      // one is the store's gradients
  std::vector<Tensor> left_sums_;                     // reproducible mode: by depth in the tree
  std::vector<std::span<const float>> partial_sums_;  // of this step

  // Of the step at hand.
  std::span<const std::int64_t> ids_;
  std::int64_t epoch_ = 0;
  std::int64_t step_ = 0;
  StepReport report_;
  data::IdDigest* seen_ = nullptr;
  bool reducing_ = false;    // the partial sum is in the making, and the reducer waits for it
  bool only_slice_ = false;  // all of a shard's gradient comes from one slice

  std::vector<float> buffers_before_;
  std::vector<float> buffer_changes_;  // by own shard, times its images
};

}  // namespace convoy::dist
