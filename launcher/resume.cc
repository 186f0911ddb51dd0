#include "launcher/resume.h"

#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "core/io/checkpoint.h"
#include "core/io/file.h"
#include "core/io/state_dict.h"
#include "dist/collectives.h"
#include "dist/snapshot.h"
#include "launcher/fingerprint_of.h"
#include "launcher/json.h"
#include "launcher/resume_options.h"
#include "launcher/run_state.h"
#include "launcher/trained_model.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

bool is_checkpoint(const fs::path& path) {
  return fs::exists(path / "manifest.json") || fs::exists(path / "state.json");
}

// The directory that is meant: of a run, or of one of its checkpoints.
fs::path meant_by(const TrainOptions& given) {
  fs::path path = *given.resume;
  if (path.empty()) {
    path = given.run_dir;
  } else if (!given.run_dir.empty() && given.run_dir != path) {
    throw UsageError(
        fmt::format("--resume {} goes on in the run's own directory; leave out --run-dir {}",
                    path.string(), given.run_dir.string()));
  }
  if (path.empty()) {
    path = fs::path("runs") / "latest";
    check(
        fs::exists(path),
        "there is no run to go on with: no {} here\nname its directory: convoy train --resume DIR",
        path.string());
    if (fs::is_symlink(path)) {
      path = path.parent_path() / fs::read_symlink(path);  // its own name, for what is printed
    }
  }
  check(fs::exists(path), "--resume {}: there is no such directory", path.string());
  return path.has_filename() ? path : path.parent_path();
}

std::string damage_text(const io::CheckpointSearch::Skipped& skipped) {
  return fmt::format("{} is damaged: {}", skipped.checkpoint.string(),
                     fmt::join(skipped.damage, "; "));
}

fs::path newest_good(const fs::path& run, std::vector<std::string>& notes) {
  const io::CheckpointSearch search = io::latest_good_checkpoint(run / "checkpoints");
  for (const io::CheckpointSearch::Skipped& skipped : search.skipped) {
    notes.push_back("skipped: " + damage_text(skipped));
  }
  check(search.newest_good.has_value(),
        "{} has no good checkpoint to go on from{}\nStart anew with convoy train; "
        "--checkpoint-every STEPS makes checkpoints within epochs too.",
        run.string(), notes.empty() ? "" : fmt::format("\n{}", fmt::join(notes, "\n")));
  return *search.newest_good;
}

fs::path checked_checkpoint(const fs::path& checkpoint) {
  const std::vector<std::string> damage = io::verify_checkpoint(checkpoint);
  check(damage.empty(), "{}\n--resume with the run's directory takes the newest good one.",
        damage_text({checkpoint, damage}));
  return checkpoint;
}

// Good ones of the run up to a step; what is damaged is none of our business any more.
std::vector<KeptCheckpoint> good_until(const fs::path& run, std::int64_t last) {
  std::vector<KeptCheckpoint> good;
  for (const auto& [step, path] : io::list_checkpoints(run / "checkpoints")) {
    if (step <= last && io::verify_checkpoint(path).empty()) {
      good.push_back(kept_checkpoint(read_state(path / "state.json")));
    }
  }
  return good;
}

TrainOptions config_of(const fs::path& run) {
  const fs::path file = run / "config.json";
  const std::vector<std::byte> bytes = io::read_file(file);
  return parse_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

ResumedRun find(const TrainOptions& given) {
  const fs::path meant = meant_by(given);
  const bool one_checkpoint = !is_run_dir(meant) && is_checkpoint(meant);
  ResumedRun run;
  run.directory = one_checkpoint ? fs::absolute(meant).parent_path().parent_path() : meant;
  check(is_run_dir(run.directory), "--resume {}: {}", meant.string(),
        one_checkpoint ? "the checkpoint is not in a run's directory; --init-from takes its weights"
                       : "neither the directory of a run nor of a checkpoint");
  run.lock = lock_run(run.directory);
  run.checkpoint =
      one_checkpoint ? checked_checkpoint(meant) : newest_good(run.directory, run.notes);

  RunState state = read_state(run.checkpoint / "state.json");
  const TrainOptions began = parse_config(state.config, (run.checkpoint / "state.json").string());
  run.options = lay_over(config_of(run.directory), given.arguments);
  run.options.run_dir = run.directory;
  run.weights = io::read_safetensors(run.checkpoint / "model.safetensors");
  run.optimizer = io::read_safetensors(run.checkpoint / "optimizer.safetensors");
  run.spec = model_of(run.weights, run.checkpoint / "model.safetensors");
  check_resumed_options(began, run.options, run.spec, state.snapshot.position,
                        run.checkpoint.string());

  run.snapshot = state.snapshot;
  run.epochs = std::move(state.epochs);
  run.data = std::move(state.data);
  // Of an epoch that --max-steps ended, the rest may come now.
  run.epochs.resize(static_cast<std::size_t>(run.snapshot.position.epoch));
  run.checkpoints = good_until(run.directory, run.snapshot.position.step);
  if (state.convoy != CONVOY_VERSION) {
    run.notes.push_back(fmt::format(
        "convoy {} wrote the checkpoint, this is {}: the result may differ in its last bits",
        state.convoy, CONVOY_VERSION));
  }
  const dist::Position& position = run.snapshot.position;
  run.notes.push_back(fmt::format("going on from {}: epoch {}, {} steps of it done",
                                  run.checkpoint.string(), position.epoch + 1, position.batch));
  return run;
}

}  // namespace

ResumedRun find_run(const TrainOptions& given, dist::Communicator& communicator) {
  ResumedRun run;
  std::vector<std::byte> bytes;
  if (communicator.rank() == 0) {
    run = find(given);
    const std::string texts =
        nlohmann::json({config_text(run.options), run.spec.text, run.spec.source}).dump();
    const auto raw = io::as_bytes(texts);
    bytes.assign(raw.begin(), raw.end());
  }
  bytes = dist::broadcast(communicator, std::move(bytes));
  if (communicator.rank() != 0) {
    const nlohmann::ordered_json texts =
        parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    run.options = lay_over(parse_config(texts.at(0).get<std::string>(), "rank 0"), given.arguments);
    run.spec = parse_model(texts.at(1).get<std::string>(), texts.at(2).get<std::string>());
  }
  return run;
}

void check_resumed_data(const ResumedRun& run, const data::Dataset& train,
                        const data::Dataset& test) {
  check(run.data.empty() || run.data == data_digest(train, test),
        "--resume: there are other images or labels than those that the run in {} was trained on\n"
        "Say with --data DIR where those are, or start a new run with --init-from "
        "{}/model.safetensors.",
        run.directory.string(), run.checkpoint.string());
}

dist::Snapshot load(ResumedRun& run, ParameterStore& store, optim::Optimizer& optimizer,
                    dist::Communicator& communicator) {
  dist::Snapshot snapshot = std::move(run.snapshot);
  if (communicator.rank() == 0) {
    // The optimizer's own state may be a part of the whole; its names are those of the whole.
    for (const optim::Optimizer::State& part : optimizer.state()) {
      const auto elements = static_cast<std::int64_t>(store.values().size());
      snapshot.optimizer.push_back({part.name, Tensor::zeros({elements})});
    }
    io::load_optimizer_state_dict(store, snapshot.optimizer, run.optimizer.tensors,
                                  (run.checkpoint / "optimizer.safetensors").string());
    io::load_state_dict(store, run.weights.tensors,
                        (run.checkpoint / "model.safetensors").string());
  }
  run.weights = {};
  run.optimizer = {};
  dist::broadcast_snapshot(communicator, snapshot, store.all_values());
  return snapshot;
}

void forget_later(const ResumedRun& run, const RunDir& run_dir) {
  const std::int64_t last = run.checkpoints.back().step;
  for (const auto& [step, path] : io::list_checkpoints(run_dir.checkpoints())) {
    if (step > last && io::verify_checkpoint(path).empty()) {
      const fs::path aside =
          path.parent_path() / fmt::format("superseded-{}", path.filename().string());
      std::error_code error;
      fs::remove_all(aside, error);
      fs::rename(path, aside, error);
      check(!error, "cannot rename {}: {}", path.string(), error.message());
    }
  }
  io::sync_directory(run_dir.checkpoints());
  run_dir.rewrite(run.epochs);
}

}  // namespace convoy::launcher
