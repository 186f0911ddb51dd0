// The ranks of a run, and its history.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "launcher/format.h"
#include "launcher/sparkline.h"
#include "launcher/status_report.h"
#include "launcher/status_shared.h"
#include "launcher/text_table.h"

namespace convoy::launcher {
namespace {

constexpr int kWidestCurve = 100;

std::string short_time(const google::protobuf::Duration& duration) {
  const double milliseconds = 1e3 * duration_of(duration).count();
  return milliseconds < 1000 ? fmt::format("{:.1f} ms", milliseconds)
                             : format_duration(duration_of(duration));
}

std::string heading(const std::string& line, const StatusScreen& screen) {
  return painted(line, kDim, screen) + "\n";
}

double loss(const v1::Sums& sums) {
  return sums.loss_sum() / static_cast<double>(sums.images());
}

double accuracy(const v1::Sums& sums) {
  return static_cast<double>(sums.correct()) / static_cast<double>(sums.images());
}

std::string curve(std::string_view name, std::span<const double> values,
                  std::span<const double> drawn, std::string (*text)(double),
                  const StatusScreen& screen) {
  if (values.size() < 2) {
    return "";
  }
  const std::string ends = fmt::format("{} to {}", text(values.front()), text(values.back()));
  const int width = std::min(kWidestCurve, screen.columns - 18 - 22);
  return fmt::format("{:<16}{}  {}\n", name, sparkline(drawn, width, screen.terminal.unicode),
                     ends);
}

// Loss falls by orders of magnitude, of which a line is high enough for the first alone: so its
// logarithm is drawn.
std::string curves(std::string_view name, const std::vector<v1::Sums>& points,
                   const StatusScreen& screen) {
  std::vector<double> losses;
  std::vector<double> logarithms;
  std::vector<double> accuracies;
  for (const v1::Sums& sums : points) {
    losses.push_back(loss(sums));
    logarithms.push_back(std::log(losses.back()));
    accuracies.push_back(accuracy(sums));
  }
  return curve(fmt::format("{} loss", name), losses, logarithms, format_loss, screen) +
         curve(fmt::format("{} accuracy", name), accuracies, accuracies, format_percent, screen);
}

std::string all_curves(const StatusReport& report, const StatusScreen& screen) {
  std::vector<v1::Sums> train;
  std::vector<v1::Sums> test;
  for (const v1::EpochMetrics& epoch : report.epochs) {
    train.push_back(epoch.train());
    test.push_back(epoch.test());
  }
  // Steps tell more than epochs, as long as the coordinator has them.
  if (report.steps.size() > train.size()) {
    train.clear();
    for (const v1::StepMetrics& step : report.steps) {
      train.push_back(step.sums());
    }
  }
  return curves("train", train, screen) + curves("test", test, screen);
}

}  // namespace

std::string ranks_text(std::span<const v1::Rank> ranks, const StatusScreen& screen) {
  if (ranks.empty()) {
    return "";
  }
  TextTable table({{.heading = "rank", .right = true},
                   {.heading = "host"},
                   {.heading = "pid", .right = true, .rank = 4},
                   {.heading = "step", .right = true, .rank = 2},
                   {.heading = "images/s", .right = true, .rank = 5},
                   {.heading = "computing", .right = true, .rank = 1},
                   {.heading = "waiting", .right = true, .rank = 3},
                   {.heading = "last seen", .right = true},
                   {.heading = ""}});
  for (const v1::Rank& rank : ranks) {
    table.add({fmt::format("{}", rank.info().rank()), shown(rank.info().host(), screen, 40),
               fmt::format("{}", rank.info().pid()), format_count(rank.step()),
               rank.images_per_second() > 0 ? format_rate(rank.images_per_second()) : "",
               rank.has_computing() ? short_time(rank.computing()) : "",
               rank.has_waiting() ? short_time(rank.waiting()) : "",
               rank.has_last_seen_time() ? since(rank.last_seen_time(), screen) + " ago" : "never",
               rank.alive() ? "alive" : "silent"});
  }
  const std::vector<std::string> lines = table.lines(table_width(screen));
  std::string text = heading(lines.front(), screen);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    text += (ranks[i].alive() ? lines[i + 1] : painted(lines[i + 1], kRed, screen)) + "\n";
  }
  return text;
}

std::string history_text(const StatusReport& report, const StatusScreen& screen) {
  std::string text;
  if (!report.epochs.empty()) {
    TextTable table({{.heading = "epoch", .right = true},
                     {.heading = "train loss", .right = true, .rank = 1},
                     {.heading = "accuracy", .right = true, .rank = 2},
                     {.heading = "test loss", .right = true},
                     {.heading = "accuracy", .right = true},
                     {.heading = "images/s", .right = true, .rank = 3},
                     {.heading = "time", .right = true, .rank = 4}});
    for (const v1::EpochMetrics& epoch : report.epochs) {
      table.add({fmt::format("{}", epoch.epoch()), loss_of(epoch.train()),
                 accuracy_of(epoch.train()), loss_of(epoch.test()), accuracy_of(epoch.test()),
                 format_rate(epoch.images_per_second()),
                 format_duration(duration_of(epoch.duration()))});
    }
    const std::vector<std::string> lines = table.lines(table_width(screen));
    text += heading(lines.front(), screen);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      text += lines[i] + "\n";
    }
  }
  const std::string drawn = all_curves(report, screen);
  return text + (drawn.empty() || text.empty() ? drawn : "\n" + drawn);
}

}  // namespace convoy::launcher
