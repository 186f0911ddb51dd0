#include "dist/coordinator/web/prometheus.h"
#include "dist/coordinator/book/run_states.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <map>
#include <vector>

namespace convoy::dist {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::size_t kMaxRuns = 100;
constexpr std::array kStates = {v1::RUN_STATE_RUNNING, v1::RUN_STATE_STOPPING,
                                v1::RUN_STATE_STOPPED, v1::RUN_STATE_SUCCEEDED,
                                v1::RUN_STATE_FAILED,  v1::RUN_STATE_LOST};

/// RUN_STATE_RUNNING: running.
std::string name_of(v1::RunState state) {
  std::string name = v1::RunState_Name(state).substr(std::string_view("RUN_STATE_").size());
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

double seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + 1e-9 * duration.nanos();
}

double seconds(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + 1e-9 * time.nanos();
}

/// Families by name, in the order of the first sample of each.
class Book {
 public:
  void gauge(const char* name, const char* help, Labels labels, double value) {
    add(MetricType::Gauge, name, help, std::move(labels)).gauge.value = value;
  }
  void counter(const char* name, const char* help, Labels labels, double value) {
    add(MetricType::Counter, name, help, std::move(labels)).counter.value = value;
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  ClientMetric& add(MetricType type, const char* name, const char* help, Labels labels) {
    const auto [entry, is_new] = index_.try_emplace(name, families_.size());
    if (is_new) {
      families_.push_back({.name = name, .help = help, .type = type, .metric = {}});
    }
    ClientMetric& metric = families_[entry->second].metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  std::vector<MetricFamily> families_;
  std::map<std::string, std::size_t> index_;
};

void add_sums(Book& book, const Labels& run, const char* part, const v1::Sums& sums) {
  if (sums.images() == 0) {
    return;
  }
  Labels labels = run;
  labels.push_back({"part", part});
  const auto images = static_cast<double>(sums.images());
  book.gauge("convoy_run_loss", "Average loss: of the epoch in progress, or of the last finished.",
             labels, sums.loss_sum() / images);
  book.gauge("convoy_run_accuracy_ratio",
             "Images classified right, 1 is all; parts as of the loss.", labels,
             static_cast<double>(sums.correct()) / images);
}

void add_run(Book& book, const v1::Run& run) {
  const Labels labels = {{"run", run.run()}};
  Labels info = labels;
  info.push_back({"model", run.spec().model()});
  info.push_back({"dataset", run.spec().dataset()});
  info.push_back({"version", run.spec().convoy_version()});
  book.gauge("convoy_run_info", "1, with what is fixed for the run.", info, 1);
  for (const v1::RunState state : kStates) {
    Labels of_state = labels;
    of_state.push_back({"state", name_of(state)});
    book.gauge("convoy_run_state", "1 for the state that the run is in.", of_state,
               run.state() == state ? 1 : 0);
  }
  book.counter("convoy_run_steps_total",
               "Optimizer steps taken; falls when the run is resumed from a checkpoint.", labels,
               static_cast<double>(run.step()));
  book.counter("convoy_run_lost_steps_total", "Optimizer steps that nobody will report.", labels,
               static_cast<double>(run.lost_steps()));
  book.gauge("convoy_run_planned_steps", "Optimizer steps from the run's beginning to its end.",
             labels, static_cast<double>(run.spec().steps()));
  book.gauge("convoy_run_epoch", "Epoch in progress, from 1.", labels,
             static_cast<double>(run.epoch()));
  book.gauge("convoy_run_planned_epochs", "Epochs from the run's beginning to its end.", labels,
             static_cast<double>(run.spec().epochs()));
  book.gauge("convoy_run_generation", "Starts of the run, the first included.", labels,
             static_cast<double>(run.generation()));
  book.gauge("convoy_run_ranks", "Ranks of the run.", labels, run.spec().world_size());
  book.gauge("convoy_run_alive_ranks", "Ranks heard of within the lease.", labels,
             run.ranks_alive());
  book.gauge("convoy_run_images_per_second", "Speed of the last steps, of all ranks together.",
             labels, run.images_per_second());
  book.gauge("convoy_run_learning_rate", "Of the last step.", labels, run.learning_rate());
  book.gauge("convoy_run_update_timestamp_seconds", "When the run was last heard of.", labels,
             seconds(run.update_time()));
  if (run.has_remaining()) {
    book.gauge("convoy_run_remaining_seconds", "How long the remaining steps take at that speed.",
               labels, seconds(run.remaining()));
  }
  book.gauge("convoy_run_straggler_ratio",
             "Computing time of the slowest rank over the median; 1 if none stands out.", labels,
             run.has_straggler() ? run.straggler().factor() : 1);
  add_sums(book, labels, "epoch_so_far", run.epoch_so_far());
  add_sums(book, labels, "last_train", run.last_epoch().train());
  add_sums(book, labels, "last_test", run.last_epoch().test());
}

}  // namespace

std::string prometheus_text(const Coordinator& coordinator) {
  std::map<v1::RunState, std::int64_t> count;
  std::vector<v1::Run> chosen;
  v1::ListRunsRequest request;
  request.set_page_size(1000);
  do {
    v1::ListRunsResponse page = coordinator.list_runs(request);
    for (v1::Run& run : *page.mutable_runs()) {
      ++count[run.state()];
      chosen.push_back(std::move(run));
    }
    // Not std::ranges, which clang 14 cannot compile here.
    std::stable_partition(chosen.begin(), chosen.end(),
                          [](const v1::Run& run) { return !has_ended(run.state()); });
    chosen.resize(std::min(chosen.size(), kMaxRuns));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());

  Book book;
  for (const v1::RunState state : kStates) {
    book.gauge("convoy_coordinator_runs", "Runs that the coordinator knows, by state.",
               {{"state", name_of(state)}}, static_cast<double>(count[state]));
  }
  for (const v1::Run& run : chosen) {
    add_run(book, run);
  }
  return book.text();
}

}  // namespace convoy::dist
