#include "launcher/run_record.h"

#include <fmt/format.h>

#include <iostream>

#include "core/io/safetensors.h"
#include "launcher/exit_codes.h"
#include "launcher/fingerprint_of.h"
#include "launcher/json.h"
#include "launcher/notice.h"
#include "launcher/report.h"
#include "launcher/train_result.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

// What a run has on disk at most: the final model, the checkpoints that are kept and one that is
// being written, each with two moments, and some pictures. A run that goes on has most of it there.
std::uint64_t needed_bytes(const TrainingTask& task) {
  const Retention& keep = task.options.keep;
  const int checkpoints = task.resumed ? 2 : keep.last + keep.best + 1;
  return (1 + 3 * static_cast<std::uint64_t>(checkpoints)) *
             task.model.store->values().size_bytes() +
         (std::uint64_t{4} << 20);
}

RunDir open_run_dir(const TrainingTask& task) {
  RunDir run_dir({.path = task.options.run_dir,
                  .model = task.options.model,
                  .resume = task.resumed.has_value(),
                  .needed_bytes = needed_bytes(task)});
  if (task.resumed) {
    forget_later(*task.resumed, run_dir);
  }
  start_report(run_dir, task.options, task.model.spec);
  return run_dir;
}

Recorder::Parts recorder_parts(const TrainingTask& task, const RunDir& run_dir) {
  Recorder::Parts parts = {.options = task.options,
                           .run_dir = run_dir,
                           .model = task.model,
                           .data_digest = data_digest(task.train, task.test)};
  if (task.resumed) {
    parts.epochs = task.resumed->epochs;
    parts.checkpoints = task.resumed->checkpoints;
  }
  return parts;
}

}  // namespace

RunRecord::RunRecord(const TrainingJob& job, std::span<const std::int64_t> pids)
    : job_(job),
      run_dir_(open_run_dir(job.task())),
      recorder_(recorder_parts(job.task(), run_dir_)),
      observers_({&recorder_}) {
  if (job.task().options.tensorboard) {
    tensorboard_.emplace(TensorBoard::Options{
        .directory = run_dir_.path(),
        .config = config_text(job.task().options),
        .steps = job.steps(),
        .step = job.trainer().position().step,
        .on_note = [this](const std::string& text) { recorder_.on_note(text); }});
    observers_.add(*tensorboard_);
  }
  coordination_ =
      start_coordination({.job = job,
                          .run_dir = run_dir_,
                          .pids = pids,
                          .epochs = recorder_.epochs(),
                          .show = [this](const std::string& text) { recorder_.on_note(text); }});
  if (coordination_) {
    observers_.add(*coordination_);
  }
}

void RunRecord::announce() const {
  if (!job_.task().options.quiet) {
    std::cerr << fmt::format("{}\nresults go to {}\n\n", job_.describe(), run_dir_.path().string())
              << (job_.complete()
                      ? "the run is complete; to train on, say --epochs N with more of them\n"
                      : "");
  }
}

void RunRecord::notify_begun() const {
  notify_launcher(kJoined);
  notify_launcher(kRunDir, fs::absolute(run_dir_.path()).string());
}

int RunRecord::stopped() {
  recorder_.progress().end();
  const std::string checkpoint = recorder_.last_checkpoint().string();
  const int ranks = job_.communicator().size();
  tell_end(Coordination::End::kStopped, "checkpoint " + checkpoint);
  notify_launcher(kStopped);
  std::cerr << fmt::format(
      "stopped at step {} of {}; the checkpoint is {}\ngo on with: convoy train {}--resume {}\n",
      job_.trainer().position().step, job_.steps(), checkpoint,
      ranks > 1 ? fmt::format("-n {} ", ranks) : "", run_dir_.path().string());
  return kExitStopped;
}

void RunRecord::failed(const std::string& why) {
  tell_end(Coordination::End::kFailed, why);
}

void RunRecord::tell_end(Coordination::End end, const std::string& reason) {
  if (coordination_) {
    coordination_->end(end, reason);
  }
}

int RunRecord::done(const std::optional<dist::Evaluation>& evaluation, double imbalance) {
  const TrainingTask& task = job_.task();
  recorder_.last_checkpoint();  // throws if it could not be written
  fs::create_directories(run_dir_.final_model().parent_path());
  io::write_safetensors(run_dir_.final_model(), weights_file(task.model));
  finish_report({.run_dir = run_dir_,
                 .options = task.options,
                 .model = task.model,
                 .test = task.test,
                 .epochs = recorder_.epochs(),
                 .evaluation = evaluation ? *evaluation : recorder_.evaluation()});
  if (tensorboard_) {
    tensorboard_->finish(run_dir_.plots());
  }
  const TrainResult result = {.run_dir = run_dir_,
                              .world_size = job_.communicator().size(),
                              .imbalance = imbalance,
                              .trainer = job_.trainer(),
                              .epochs = recorder_.epochs()};
  tell_end(Coordination::End::kSucceeded, "");
  if (!task.options.quiet) {
    std::cerr << communication_summary(result);
  }
  if (task.options.json) {
    std::cout << train_result_json(result) << std::endl;
  }
  return kExitDone;
}

}  // namespace convoy::launcher
