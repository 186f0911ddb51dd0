#include "launcher/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "launcher/bar.h"
#include "launcher/format.h"

namespace convoy::launcher {
namespace {

constexpr int kWidestBar = 40;
constexpr int kNarrowestBar = 5;

// "epoch  3/15": as wide for every epoch of a run.
std::string epoch_label(int epoch, int epochs) {
  return fmt::format("epoch {:>{}}/{}", epoch, fmt::formatted_size("{}", epochs), epochs);
}

}  // namespace

Progress::Progress(Options options)
    : options_(std::move(options)), last_output_(TimePoint::min()) {}

Progress::~Progress() {
  end();
}

void Progress::begin_epoch(int epoch, std::int64_t images) {
  begin(epoch_label(epoch, options_.epochs), images);
  epochs_left_ = std::max(0, options_.epochs - epoch);
}

void Progress::begin(std::string_view label, std::int64_t images) {
  label_ = label;
  epochs_left_ = 0;
  total_ = images;
  began_ = options_.now();
  if (last_output_ == TimePoint::min() && !options_.terminal.interactive) {
    last_output_ = began_;
  }
  update({});
}

void Progress::update(const Status& status) {
  status_ = status;
  if (options_.quiet || !redraw_due()) {
    return;
  }
  last_output_ = options_.now();
  if (!options_.terminal.interactive) {
    *options_.out << plain_line() + "\n" << std::flush;
    return;
  }
  // The last column stays free: a cursor that waits behind it makes some terminals wrap.
  *options_.out << "\r" + bar_line(options_.columns() - 1) + "\x1b[K" << std::flush;
  drawn_ = true;
}

void Progress::end() {
  if (drawn_) {
    *options_.out << "\r\x1b[K" << std::flush;
    drawn_ = false;
  }
}

void Progress::finish_epoch(const EpochMetrics& metrics) {
  end();
  if (options_.quiet) {
    return;
  }
  const bool fit = options_.terminal.interactive;
  write_line(epoch_line(metrics, options_.epochs, fit ? options_.columns() : 1000));
}

void Progress::note(std::string_view text) {
  const bool was_drawn = drawn_;
  end();
  write_line(text);
  if (was_drawn) {
    *options_.out << bar_line(options_.columns() - 1) << std::flush;
    drawn_ = true;
  }
}

void Progress::write_line(std::string_view text) {
  *options_.out << std::string(text) + "\n" << std::flush;
  if (!options_.terminal.interactive) {
    last_output_ = options_.now();
  }
}

double Progress::share() const {
  return total_ > 0 ? std::clamp(static_cast<double>(status_.images) / static_cast<double>(total_),
                                 0.0, 1.0)
                    : 0.0;
}

bool Progress::redraw_due() const {
  const auto interval =
      options_.terminal.interactive ? options_.redraw_interval : options_.line_interval;
  return last_output_ == TimePoint::min() || options_.now() - last_output_ >= interval;
}

std::vector<Progress::Part> Progress::parts() const {
  std::vector<Part> parts = {{label_, 0}, {fmt::format("{:3.0f} %", std::floor(100 * share())), 1}};
  if (!std::isnan(status_.loss)) {
    parts.push_back({"loss " + format_loss(status_.loss), 2});
  }
  if (!std::isnan(status_.accuracy)) {
    parts.push_back({"acc " + format_percent(status_.accuracy), 4});
  }
  const std::chrono::duration<double> elapsed = options_.now() - began_;
  if (status_.images > 0 && elapsed.count() > 0) {
    const double rate = static_cast<double>(status_.images) / elapsed.count();
    const auto total = static_cast<double>(total_);
    const double left = std::max(0.0, total - static_cast<double>(status_.images));
    const auto time = [rate](double images) {
      return format_duration(std::chrono::duration<double>(images / rate));
    };
    parts.push_back({format_rate(rate) + " images/s", 5});
    parts.push_back({"ETA " + time(left), 3, /*room=*/9});
    if (epochs_left_ > 0) {
      parts.push_back({"run " + time(left + epochs_left_ * total), 6, /*room=*/9});
    }
  }
  return parts;
}

std::string Progress::plain_line() const {
  std::string line;
  for (const Part& part : parts()) {
    line += (line.empty() ? "" : "  ") + part.text;
  }
  return line;
}

std::string Progress::bar_line(int columns) const {
  std::vector<Part> shown = parts();
  const auto bar_width = [&] {
    int width = columns;
    for (const Part& part : shown) {
      width -= std::max(static_cast<int>(part.text.size()), part.room) + 2;
    }
    return std::min(kWidestBar, width);
  };
  while (shown.size() > 1 && bar_width() < kNarrowestBar) {
    shown.erase(std::ranges::max_element(shown, {}, &Part::rank));
  }
  std::string line = shown.front().text.substr(0, static_cast<std::size_t>(std::max(0, columns)));
  if (bar_width() >= kNarrowestBar) {
    line += "  " + bar(share(), bar_width(), options_.terminal);
  }
  for (std::size_t i = 1; i < shown.size(); ++i) {
    line += "  " + shown[i].text;
  }
  return line;
}

std::string epoch_line(const EpochMetrics& metrics, int epochs, int columns) {
  const bool tested = !std::isnan(metrics.test_accuracy);
  const auto line = [&](std::string_view loss, std::string_view accuracy) {
    const auto pass = [&](std::string_view name, double pass_loss, double pass_accuracy) {
      return fmt::format("  {}{} {}{} {:>7}", name, loss, format_loss(pass_loss), accuracy,
                         format_percent(pass_accuracy));
    };
    return epoch_label(metrics.epoch, epochs) +
           pass("train", metrics.train_loss, metrics.train_accuracy) +
           (tested ? pass("test", metrics.test_loss, metrics.test_accuracy) : "") + "  " +
           format_rate(metrics.images_per_second) + " images/s  " +
           format_duration(metrics.seconds);
  };
  std::string full = line(" loss", ", accuracy");
  return static_cast<int>(full.size()) <= columns ? full : line("", "");
}

}  // namespace convoy::launcher
