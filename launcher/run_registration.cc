#include "launcher/run_registration.h"

#include <cmath>

#include "core/base/parallel.h"
#include "dist/coordinator/base/times.h"
#include "dist/coordinator/net/endpoint.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

constexpr std::size_t kMaxOptions = 16 << 10;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxHost = 255;

v1::RunSpec run_spec(const TrainingJob& job, const RunDir& run_dir) {
  const TrainingTask& task = job.task();
  const v1::Recipe& recipe = task.options.recipe;
  v1::RunSpec spec;
  spec.set_model(task.model.spec.model.name().substr(0, kMaxName));
  spec.set_dataset(task.model.dataset);
  spec.set_batch_size(recipe.batch_size() * task.options.accumulate);
  spec.set_epochs(recipe.epochs());
  spec.set_steps(job.steps());
  spec.set_steps_per_epoch(job.steps_per_epoch());
  spec.set_images_per_epoch(task.train.size());
  std::int64_t parameters = 0;
  for (const Parameter* parameter : task.model.store->parameters()) {
    parameters += parameter->trainable() ? parameter->shape().elements() : 0;
  }
  spec.set_parameters(parameters);
  spec.set_world_size(job.communicator().size());
  spec.set_threads(num_threads());
  spec.set_run_dir(std::filesystem::absolute(run_dir.path()).string());
  spec.set_convoy_version(CONVOY_VERSION);
  const std::string options = config_text(task.options);
  if (options.size() <= kMaxOptions) {
    spec.set_options_json(options);
  }
  return spec;
}

// Metrics are averages; losses that were added up are multiples of 2^-24, so that rounding finds
// the very sum again.
v1::Sums sums(std::int64_t images, double loss, double accuracy) {
  v1::Sums result;
  if (std::isfinite(loss) && std::isfinite(accuracy)) {
    const auto count = static_cast<double>(images);
    result.set_images(images);
    result.set_correct(std::llround(accuracy * count));
    result.set_loss_sum(std::nearbyint(loss * count * 0x1p24) * 0x1p-24);
  }
  return result;
}

v1::EpochMetrics epoch_message(const EpochMetrics& epoch, const TrainingTask& task) {
  v1::EpochMetrics message;
  message.set_epoch(epoch.epoch);
  *message.mutable_train() = sums(task.train.size(), epoch.train_loss, epoch.train_accuracy);
  *message.mutable_test() = sums(task.test.size(), epoch.test_loss, epoch.test_accuracy);
  message.set_images_per_second(epoch.images_per_second);
  *message.mutable_duration() =
      dist::to_message(std::chrono::duration_cast<std::chrono::nanoseconds>(epoch.seconds));
  return message;
}

}  // namespace

v1::RegisterRunRequest run_registration(const TrainingJob& job, const RunDir& run_dir,
                                        const RunIdentity& identity,
                                        std::span<const std::int64_t> pids,
                                        std::span<const EpochMetrics> epochs) {
  v1::RegisterRunRequest request;
  request.set_run(identity.run);
  request.set_generation(identity.generation);
  request.set_attempt(dist::make_token().substr(0, 32));
  *request.mutable_spec() = run_spec(job, run_dir);
  for (std::size_t i = 0; i < pids.size(); ++i) {
    const auto rank = static_cast<int>(i);
    v1::RankInfo& info = *request.add_ranks();
    info.set_rank(rank);
    info.set_host(job.communicator().host(rank).substr(0, kMaxHost));
    info.set_pid(pids[i]);
  }
  request.set_first_step(job.trainer().position().step);
  for (const EpochMetrics& epoch : epochs) {
    *request.add_epochs() = epoch_message(epoch, job.task());
  }
  return request;
}

}  // namespace convoy::launcher
