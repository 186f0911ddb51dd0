#include "launcher/run_state.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "core/io/file.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "convoy-state";
constexpr int kVersion = 1;
constexpr std::uintmax_t kMaxBytes = std::uintmax_t{256} << 20;  // a million epochs

std::uint64_t digits_of(const Json& object, const char* key) {
  const auto text = object.at(key).get<std::string>();
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  check(error == std::errc() && stop == end, "{} is no 64-bit number", key);
  return number;
}

dist::Snapshot snapshot_of(const Json& json) {
  const Json& train = json.at("train");
  const Json& seen = json.at("seen");
  const dist::Snapshot snapshot = {
      .position = {.epoch = count_of(json, "epoch"),
                   .batch = count_of(json, "batch"),
                   .step = count_of(json, "step")},
      .train = {.images = count_of(train, "images"),
                .correct = count_of(train, "correct"),
                .loss_sum = number_or_nan(train, "loss_sum")},
      .seen = {.count = static_cast<std::uint64_t>(count_of(seen, "images")),
               .sum = digits_of(seen, "sum"),
               .combined = digits_of(seen, "exclusive_or")},
      .optimizer_step = count_of(json, "optimizer_step")};
  check(snapshot.train.correct <= snapshot.train.images, "{} of {} images are correct",
        snapshot.train.correct, snapshot.train.images);
  check(snapshot.position.batch <= snapshot.position.step, "batch {} of step {}",
        snapshot.position.batch, snapshot.position.step);
  return snapshot;
}

std::vector<EpochMetrics> epochs_of(const Json& json, std::int64_t finished) {
  const Json& list = json.at("epochs");
  check(list.is_array(), "epochs are no list");
  const auto count = static_cast<std::int64_t>(list.size());
  check(count == finished || count == finished + 1, "{} finished epochs, but metrics of {}",
        finished, count);
  std::vector<EpochMetrics> epochs;
  for (const Json& entry : list) {
    epochs.push_back(epoch_of(entry));
    check(epochs.back().epoch == static_cast<int>(epochs.size()), "epoch {} stands at place {}",
          epochs.back().epoch, epochs.size());
  }
  return epochs;
}

}  // namespace

std::string state_text(const RunState& state) {
  const dist::Snapshot& snapshot = state.snapshot;
  Json json = {{"format", kFormat},
               {"version", kVersion},
               {"convoy", state.convoy},
               {"epoch", snapshot.position.epoch},
               {"batch", snapshot.position.batch},
               {"step", snapshot.position.step},
               {"optimizer_step", snapshot.optimizer_step},
               {"train",
                {{"images", snapshot.train.images},
                 {"correct", snapshot.train.correct},
                 {"loss_sum", snapshot.train.loss_sum}}},
               {"seen",
                {{"images", snapshot.seen.count},
                 {"sum", std::to_string(snapshot.seen.sum)},
                 {"exclusive_or", std::to_string(snapshot.seen.combined)}}},
               {"data", state.data},
               {"epochs", Json::array()},
               {"config", parse_json(state.config)}};
  for (const EpochMetrics& epoch : state.epochs) {
    json["epochs"].push_back(to_json(epoch));
  }
  return json.dump(1) + "\n";
}

RunState parse_state(std::string_view text, std::string_view source) {
  try {
    const Json json = parse_json(text);
    check(json.is_object() && json.value("format", Json()) == kFormat,
          "its format is not {}; an older convoy wrote it, or something else", kFormat);
    check(json.value("version", Json()) == kVersion,
          "its version is not {}; another convoy wrote it", kVersion);
    RunState state{.snapshot = snapshot_of(json),
                   .data = json.value("data", ""),
                   .config = json.at("config").dump(),
                   .convoy = json.at("convoy").get<std::string>()};
    state.epochs = epochs_of(json, state.snapshot.position.epoch);
    return state;
  } catch (const Json::exception& error) {
    fail("{}: not the state of a run: {}", source, error.what());
  } catch (const Error& error) {
    fail("{}: not the state of a run: {}", source, error.what());
  }
}

RunState read_state(const std::filesystem::path& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  check(error || size <= kMaxBytes, "{}: {} bytes are too many for the state of a run",
        file.string(), size);
  const std::vector<std::byte> bytes = io::read_file(file);
  return parse_state({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

KeptCheckpoint kept_checkpoint(const RunState& state) {
  const dist::Position& position = state.snapshot.position;
  KeptCheckpoint kept{.step = position.step};
  const auto epochs = static_cast<std::int64_t>(state.epochs.size());
  // One entry more than finished epochs: --max-steps ended the run here, after a test.
  const bool after_epoch = epochs > 0 && (position.batch == 0 || epochs > position.epoch);
  if (after_epoch) {
    kept.score = {.accuracy = state.epochs.back().test_accuracy,
                  .loss = state.epochs.back().test_loss};
  }
  return kept;
}

}  // namespace convoy::launcher
