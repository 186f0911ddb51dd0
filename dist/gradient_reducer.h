// Sums the gradients of all ranks, bucket by bucket, if it pays while backward is still at work on
// the next. Says when buckets travel; how is dist/bucket_exchange.h's.
//
// Gradients become ready in the reverse order of the layers, so buckets leave from the last to the
// first, in the same order on every rank without a word about it. In that order their sums are
// handed out, each as soon as it is there; if a thread of its own reduces them, when all are.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "core/autograd/parameter.h"
#include "dist/bucket_exchange.h"
#include "dist/factored_gradients.h"
#include "dist/overlap_choice.h"
#include "dist/reduce_options.h"
#include "dist/shared_store.h"

namespace convoy::dist {

/// Of the steps since the last reset, on this rank.
struct ReduceStatistics {
  std::int64_t steps = 0;
  std::int64_t bytes_sent = 0;
  std::chrono::duration<double> total{0};    ///< a bucket was on its way (waiting for ranks counts)
  std::chrono::duration<double> exposed{0};  ///< of that, training waited for it or worked on it

  /// 1 - exposed / total: the share that backward hid; 0 without any.
  double hidden_share() const;
};

/// With one rank it does nothing. Not thread safe.
class GradientReducer {
 public:
  struct Options {
    ReduceOptions reduce = {};
    bool keep_own = false;  ///< a rank needs the sum of its own chunks only
    /// The memory in which ranks read each other's gradients, instead of by messages; must outlive
    /// this. Keeps own and rounds nothing. As nothing travels, `overlap` makes no difference:
    /// ranks say during backward which gradients are ready.
    SharedStore* shared = nullptr;
    /// With `shared`: what ranks leave of their gradients as factors; must outlive this.
    const FactoredGradients* factored = nullptr;
  };

  /// Makes a duplicate of `communicator` for itself. Store, partition and tree must outlive this.
  GradientReducer(ParameterStore& store, Communicator& communicator, const Partition& partition,
                  const ShardTree& tree, const Options& options);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// Before the backward that completes this rank's partial sums. The sum will be in the store's
  /// gradients, which may themselves be one of `partials`. What follows after backward throws Error
  /// for a rank that does not answer or has drifted.
  void begin_step(std::int64_t step, const StepReport& report,
                  std::span<const std::span<const float>> partials);
  /// The parameter's gradient will not change any more in this step.
  void on_ready(const Parameter& parameter);
  /// After backward: parameters that were not told to be ready are taken as they are. Returns when
  /// all ranks' reports of this step are there, by rank; until the next begins.
  std::span<const StepReport> await_reports();
  /// The next bucket whose sum is there now, from the last to the first; nothing when all have been
  /// handed out.
  std::optional<int> next_sum();
  /// Takes the sums that have not been handed out, and ends the step.
  void finish();

  /// Of this rank's steps so far: how long training waited for messages or worked on them.
  std::chrono::nanoseconds waited() const { return waited_; }
  /// See Communicator::awaited. May be asked by any thread.
  int awaited() const { return communicator_->awaited(); }

  /// What is in use; kAuto while that is being tried out.
  Overlap overlap() const { return choice_.chosen(); }
  const ReduceStatistics& statistics() const { return statistics_; }
  void reset_statistics() { statistics_ = {}; }

 private:
  using Clock = std::chrono::steady_clock;

  bool alone() const { return communicator_->size() == 1; }
  int last_bucket() const { return partition_.buckets() - 1; }
  bool drive_once();  // starts what was released and moves on what was started
  template <typename Done>
  void drive(const Done& done);  // until it is true
  void await_bucket(int bucket);
  void work();  // the thread's
  void wait_on(std::chrono::nanoseconds waited);
  void release(int buckets);
  void add_exposed(std::chrono::nanoseconds time);

  const Partition& partition_;
  const std::span<float> sum_;  // the store's gradients
  std::unique_ptr<Communicator> communicator_;
  std::unique_ptr<BucketExchange> exchange_;
  StepReport report_;  // of this rank, in case it is alone
  std::chrono::nanoseconds waited_{0};
  std::vector<int> users_;    // by bucket: parameters in it
  std::vector<int> pending_;  // of those, not yet ready in this step
  int ready_ = 0;             // buckets, counted from the last
  int handed_out_ = 0;        // the same

  OverlapChoice choice_;
  Overlap mode_ = Overlap::kOff;  // of the step at hand
  ReduceStatistics statistics_;
  Clock::time_point busy_since_;           // whoever drives: since when a bucket is on its way
  std::chrono::duration<double> busy_{0};  // of this step

  std::atomic<int> released_ = 0;  // buckets that may be started
  std::mutex mutex_;               // for what follows
  std::condition_variable changed_;
  bool working_ = false;
  std::atomic<bool> stopping_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace convoy::dist
