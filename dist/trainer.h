// The training loop, the only one: forward, backward, reduce, update, for one rank or many.
//
// It knows data, model, optimizer and communicator; files, progress bars and signals are the
// launcher's, which listens as an Observer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/autograd/parameter.h"
#include "core/data/batch.h"
#include "core/data/dataset.h"
#include "core/data/sampler.h"
#include "core/nn/module.h"
#include "core/optim/optimizer.h"
#include "core/optim/schedule.h"
#include "dist/bad_steps.h"
#include "dist/communicator.h"
#include "dist/evaluator.h"
#include "dist/factored_gradients.h"
#include "dist/gradient_reducer.h"
#include "dist/observer.h"
#include "dist/partition.h"
#include "dist/reduce_options.h"
#include "dist/shard_runner.h"
#include "dist/shard_tree.h"
#include "dist/shared_store.h"
#include "dist/updater.h"

namespace convoy::dist {

struct TrainerOptions {
  std::int64_t epochs = 15;
  std::int64_t batch_size = 32;  ///< images of all ranks together that go forward at once
  /// Batches whose gradients are added up before an optimizer step: a step is then that of one
  /// batch `accumulate` times as large (but for batch norm, whose statistics stay the batch's).
  std::int64_t accumulate = 1;
  std::optional<std::int64_t> max_steps = {};  ///< optimizer steps, over all epochs
  std::uint64_t seed = 0;
  bool shuffle = true;
  double label_smoothing = 0.0;
  std::optional<double> clip_norm = {};  ///< largest L2 norm of the gradient
  data::AugmentOptions augment = {};
  bool raw_pixels = false;
  std::int64_t test_batch_size = 64;
  ReduceOptions reduce = {};
  /// Cuts every batch into `micro_shards` parts that go forward and backward by themselves, and
  /// adds their gradients up along one fixed tree: the same bits for any number of ranks up to
  /// that. Batch norm then uses a micro-shard's statistics.
  bool reproducible = false;
  int micro_shards = 8;
  /// Every rank updates, and keeps optimizer state for, its part of the weights only. Always so
  /// where ranks share memory, for there it is faster as well: no bit depends on it.
  bool shard_optimizer = false;
  OnNan on_nan = OnNan::kStop;
  std::int64_t check_every = 100;  ///< steps between comparisons of all ranks' weights; 0: never
  std::optional<std::int64_t> checkpoint_every = {};  ///< steps; also after every epoch
};

/// How training ended.
enum class Outcome { kDone, kStopped };

/// The values of the flat buffer that a rank's optimizer is to own.
std::int64_t optimizer_elements(const ParameterStore& store, const Communicator& communicator,
                                const TrainerOptions& options);

class Trainer {
 public:
  /// All of these must outlive the Trainer. Weights and buffers must be the same on all ranks, the
  /// optimizer be made for optimizer_elements().
  struct Parts {
    nn::Module& model;
    ParameterStore& store;
    optim::Optimizer& optimizer;
    const optim::Schedule& schedule;
    const data::Dataset& train;
    const data::Dataset& test;
    Communicator& communicator;
  };

  /// Throws Error for options that cannot be.
  Trainer(const Parts& parts, TrainerOptions options);

  /// Trains from `position()` to the end, evaluating after each epoch. Throws Error, naming epoch
  /// and step, when the loss stops being a number, and when all ranks together did not see every
  /// image of an epoch exactly once, which would be a fault of convoy.
  Outcome run(Observer& observer);

  const Position& position() const { return position_; }
  /// See Communicator::awaited. May be asked by any thread.
  int awaited() const;

  /// Goes on where `snapshot` was taken, with any number of ranks; every rank alike. Throws Error
  /// if its optimizer is another or the position lies beyond the epoch.
  void restore(const Snapshot& snapshot);
  /// Of the optimizer steps of an epoch, the smaller last one included.
  std::int64_t steps_per_epoch() const;
  /// Of the training steps alone, after the first ten; 0 before there are any.
  double images_per_second() const;
  /// How gradients travelled, after the first steps.
  const ReduceStatistics& reduce_statistics() const { return reducer_.statistics(); }
  Overlap overlap() const { return reducer_.overlap(); }
  /// Whether ranks read each other's gradients and weights where they lie, instead of by messages.
  bool shares_memory() const { return shared_ != nullptr; }
  /// Of the whole gradient, as messages carry it.
  std::int64_t gradient_bytes() const {
    return partition_.elements() * (options_.reduce.bf16 ? 2 : 4);
  }
  /// In how many pieces gradients travel.
  int buckets() const { return partition_.buckets(); }
  /// The average length of those steps, waiting included; 0 before there are any.
  std::chrono::duration<double> step_time() const;

 private:
  struct Speed {
    std::int64_t images = 0;
    std::int64_t steps = 0;
    std::chrono::duration<double> time{0};
  };

  bool train_epoch(Observer& observer, EpochResult& result);
  StepReport step(std::span<const std::int64_t> global_batch, bool stop, double lr,
                  Observer& observer);
  void keep_times(std::chrono::nanoseconds time, std::chrono::nanoseconds waited);
  std::chrono::nanoseconds waited() const;
  void leave_out(std::string_view what, Observer& observer);
  void checkpoint(Observer& observer, bool last);
  bool out_of_steps() const;
  data::IdDigest all_seen();
  void check_digest();

  Parts parts_;
  TrainerOptions options_;
  data::SamplerOptions sampler_;
  data::BatchLoader loader_;
  Partition partition_;
  ShardTree tree_;
  std::unique_ptr<SharedStore> shared_;  // if ranks share memory
  FactoredGradients factored_;
  GradientReducer reducer_;
  ShardRunner runner_;
  Updater updater_;
  BadSteps bad_steps_;
  Position position_;
  std::vector<StepReport> ranks_;  // of the step at hand
  StepReport times_;               // of this rank's last step; nothing else is set
  Metrics train_;                  // of the epoch so far, all ranks together
  data::IdDigest seen_;            // by this rank in the epoch so far
  std::vector<std::int64_t> order_;
  Speed speed_;
};

}  // namespace convoy::dist
