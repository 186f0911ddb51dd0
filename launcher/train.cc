// `convoy train`: has the ranks agree, lets the Trainer run, and has written down what came of it.
#include <unistd.h>

#include "dist/collectives.h"
#include "launcher/commands.h"
#include "launcher/exit_codes.h"
#include "launcher/fingerprint_of.h"
#include "launcher/run_record.h"
#include "launcher/stop_signal.h"
#include "launcher/train_result.h"
#include "launcher/training_job.h"

namespace convoy::launcher {
namespace {

// What the ranks other than 0 do about training: they only pass on signals.
class Follower : public dist::Observer {
 public:
  bool stop_requested() override { return StopSignal::requested(); }
};

std::vector<std::int64_t> all_pids(dist::Communicator& communicator) {
  std::vector<std::int64_t> pids(static_cast<std::size_t>(communicator.size()));
  pids[static_cast<std::size_t>(communicator.rank())] = getpid();
  all_reduce_sum(communicator, std::span(pids));
  return pids;
}

// `record`: rank 0's, nullptr on the others.
int train(TrainingJob& job, RunRecord* record) {
  dist::Communicator& communicator = job.communicator();
  const bool complete = job.complete();
  if (record != nullptr) {
    record->announce();
  }
  barrier(communicator);  // all ranks know stop signals now
  if (record != nullptr) {
    record->notify_begun();
  }
  Follower follower;
  const dist::Outcome outcome =
      job.trainer().run(record != nullptr ? record->observer() : follower);
  // A run that had no epoch left, as after a kill at the very end, has not been tested here.
  std::optional<dist::Evaluation> evaluation;
  if (complete) {
    const TrainingTask& task = job.task();
    evaluation = dist::evaluate(*task.model.layers, task.test, communicator,
                                {.raw_pixels = task.options.data.raw_pixels});
  }
  const double imbalance = compute_imbalance(communicator, job.trainer());
  if (record == nullptr) {
    return kExitDone;  // rank 0 tells how it went
  }
  return outcome == dist::Outcome::kStopped ? record->stopped()
                                            : record->done(evaluation, imbalance);
}

}  // namespace

int run_train(const TrainOptions& given, dist::Communicator& communicator) {
  communicator.set_timeout(given.distributed.timeout);
  if (!programs_agree(communicator, given)) {
    return kExitRanksDisagree;
  }
  TrainingTask task = open_task(given, communicator);
  if (!runs_agree(communicator, task.options, task.model, task.train, task.test)) {
    return kExitRanksDisagree;
  }
  TrainingJob job(task, communicator);
  const std::vector<std::int64_t> pids = all_pids(communicator);
  std::optional<RunRecord> record;
  if (communicator.rank() == 0) {
    record.emplace(job, pids);
  }
  try {
    return train(job, record ? &*record : nullptr);
  } catch (const std::exception& error) {
    if (record) {
      record->failed(error.what());
    }
    throw;
  }
}

}  // namespace convoy::launcher
