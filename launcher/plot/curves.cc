#include "launcher/plot/curves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "core/base/check.h"
#include "launcher/format.h"
#include "launcher/plot/axis.h"
#include "launcher/plot/canvas.h"

namespace convoy::plot {
namespace {

using Epochs = std::span<const launcher::EpochMetrics>;

constexpr double kPanelTitle = 36;  // above a panel
constexpr double kLegendRoom = 230;
constexpr double kTickRoom = 48;      // left of a panel
constexpr double kEndLabelRoom = 64;  // right of it
constexpr double kFooterHeight = 58;  // below it
constexpr std::size_t kMostDots = 40;

struct Series {
  std::string name;
  Colour colour;
  double line_width;
  bool hollow;  // dots: curves differ in more than their colour, and are seen if they coincide
  std::vector<double> values = {};

  bool has_values() const {
    return std::ranges::any_of(values, [](double value) { return std::isfinite(value); });
  }
};

struct Panel {
  std::string title;
  std::vector<Series> series;
  Axis y;
  std::function<std::string(double)> format;
};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

Range range_of(std::span<const Series> all) {
  Range range;
  for (const Series& series : all) {
    for (const double value : series.values) {
      if (std::isfinite(value)) {
        range = {std::min(range.low, value), std::max(range.high, value)};
      }
    }
  }
  return range;
}

std::vector<Series> make_series(Epochs epochs, double launcher::EpochMetrics::*train,
                                double launcher::EpochMetrics::*test, double scale) {
  Series training = {.name = "training", .colour = kBlue, .line_width = 1.75, .hollow = true};
  Series testing = {.name = "test", .colour = kVermillion, .line_width = 2.75, .hollow = false};
  for (const launcher::EpochMetrics& epoch : epochs) {
    training.values.push_back(epoch.*train * scale);
    testing.values.push_back(epoch.*test * scale);
  }
  std::vector<Series> series = {std::move(training)};
  if (testing.has_values()) {
    series.push_back(std::move(testing));
  }
  return series;
}

Panel loss_panel(Epochs epochs) {
  Panel panel = {.title = "Loss",
                 .series = make_series(epochs, &launcher::EpochMetrics::train_loss,
                                       &launcher::EpochMetrics::test_loss, 1),
                 .y = {},
                 .format = launcher::format_loss};
  const Range range = range_of(panel.series);
  if (range.low <= range.high) {
    panel.y = nice_axis(std::min(0.0, range.low), std::max(range.high, 1e-12), 7);
  }
  return panel;
}

Panel accuracy_panel(Epochs epochs) {
  Panel panel = {.title = "Accuracy, %",
                 .series = make_series(epochs, &launcher::EpochMetrics::train_accuracy,
                                       &launcher::EpochMetrics::test_accuracy, 100),
                 .y = {.low = 0, .high = 100, .step = 20},
                 .format = [](double percent) { return launcher::format_percent(percent / 100); }};
  const Range range = range_of(panel.series);
  if (range.low <= range.high) {
    // At least a point from end to end: closer up, noise would look like news.
    const double middle = (range.low + range.high) / 2;
    panel.y = nice_axis(std::min(range.low, middle - 0.5), std::max(range.high, middle + 0.5), 7);
    panel.y.low = std::max(panel.y.low, 0.0);
    panel.y.high = std::min(panel.y.high, 100.0);
  }
  return panel;
}

void draw_axes(Canvas& canvas, const Box& box, const Axis& x, const Panel& panel) {
  const TextStyle tick_style = {.size = 11, .colour = kMuted};
  const double bottom = box.y + box.height;
  canvas.text({box.x - kTickRoom, box.y - 22}, panel.title, {.size = 13, .bold = true});
  for (const double tick : panel.y.ticks()) {
    const double y = bottom - panel.y.position(tick) * box.height;
    canvas.line({box.x, y}, {box.x + box.width, y}, kGrid);
    TextStyle style = tick_style;
    style.align = Align::kRight;
    canvas.text({box.x - 8, y}, panel.y.label(tick), style);
  }
  canvas.line({box.x, bottom}, {box.x + box.width, bottom}, kMuted);
  for (const double tick : x.ticks()) {
    const double at = box.x + x.position(tick) * box.width;
    canvas.line({at, bottom}, {at, bottom + 4}, kMuted);
    TextStyle style = tick_style;
    style.align = Align::kCentre;
    canvas.text({at, bottom + 14}, x.label(tick), style);
  }
  canvas.text({box.x + box.width / 2, bottom + 34}, "epoch",
              {.size = 11, .colour = kMuted, .align = Align::kCentre});
}

void draw_dot(Canvas& canvas, Point at, const Series& series, double radius) {
  canvas.dot(at, radius, series.colour);
  if (series.hollow) {
    canvas.dot(at, radius - 1.4, kPaper);
  }
}

// Draws the curve and returns where its last finite value lies.
Point draw_series(Canvas& canvas, const Box& box, const Axis& x, const Axis& y, Epochs epochs,
                  const Series& series) {
  std::vector<Point> all;
  std::vector<Point> run;  // of neighbours that are finite
  const auto end_run = [&] {
    canvas.polyline(run, series.colour, series.line_width);
    run.clear();
  };
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (!std::isfinite(series.values[i])) {
      end_run();
      continue;
    }
    run.push_back({box.x + x.position(epochs[i].epoch) * box.width,
                   box.y + (1 - y.position(series.values[i])) * box.height});
    all.push_back(run.back());
    const bool alone =
        run.size() == 1 && (i + 1 == series.values.size() || !std::isfinite(series.values[i + 1]));
    if (alone && epochs.size() > kMostDots) {
      draw_dot(canvas, run.back(), series, 2.5);
    }
  }
  end_run();
  if (epochs.size() <= kMostDots) {
    for (const Point& point : all) {
      draw_dot(canvas, point, series, 3);
    }
  }
  draw_dot(canvas, all.back(), series, 3.5);
  return all.back();
}

struct EndLabel {
  double y;
  std::string text;
  Colour colour;
};

void draw_end_labels(Canvas& canvas, const Box& box, std::vector<EndLabel> labels) {
  constexpr double kApart = 16;
  std::ranges::sort(labels, {}, &EndLabel::y);
  if (labels.size() == 2 && labels[1].y - labels[0].y < kApart) {
    const double bottom = box.y + box.height;
    const double middle = std::min((labels[0].y + labels[1].y) / 2, bottom - kApart / 2);
    labels[0].y = middle - kApart / 2;
    labels[1].y = middle + kApart / 2;
  }
  for (const EndLabel& label : labels) {
    canvas.text({box.x + box.width + 10, label.y}, label.text,
                {.size = 12, .colour = label.colour, .bold = true});
  }
}

void draw_panel(Canvas& canvas, const Box& box, Epochs epochs, const Panel& panel) {
  const Axis x = count_axis(epochs.front().epoch, epochs.back().epoch, 8);
  draw_axes(canvas, box, x, panel);
  std::vector<EndLabel> labels;
  for (auto series = panel.series.rbegin(); series != panel.series.rend(); ++series) {
    if (series->has_values()) {
      const Point end = draw_series(canvas, box, x, panel.y, epochs, *series);
      labels.push_back({end.y, panel.format(series->values.back()), series->colour});
    }
  }
  if (labels.empty()) {
    canvas.text({box.x + box.width / 2, box.y + box.height / 2}, "no finite value",
                {.colour = kMuted, .align = Align::kCentre});
  }
  draw_end_labels(canvas, box, std::move(labels));
}

void draw_legend(Canvas& canvas, double right, double y, std::span<const Series> all) {
  for (auto series = all.rbegin(); series != all.rend(); ++series) {
    right -= canvas.text_width(series->name);
    canvas.text({right, y}, series->name);
    canvas.line({right - 34, y}, {right - 8, y}, series->colour, series->line_width);
    draw_dot(canvas, {right - 21, y}, *series, 3.5);
    right -= 34 + 20;
  }
}

}  // namespace

void draw_curves(const std::filesystem::path& path, Epochs epochs, const CurvesOptions& options) {
  check(!epochs.empty(), "cannot draw {}: there is no epoch to show", path.string());
  Canvas canvas(path, options.width, options.height);
  draw_header(canvas, options.header, options.width - kLegendRoom);

  const std::array<Panel, 2> panels = {loss_panel(epochs), accuracy_panel(epochs)};
  const double panel_room = (options.width - 2 * kPageMargin) / 2;
  const double top = header_height(options.header) + kPanelTitle;
  Box box = {.x = kPageMargin + kTickRoom,
             .y = top,
             .width = panel_room - kTickRoom - kEndLabelRoom,
             .height = options.height - top - kFooterHeight};
  for (const Panel& panel : panels) {
    draw_panel(canvas, box, epochs, panel);
    box.x += panel_room;
  }
  const bool tested = panels[1].series.size() > 1;
  draw_legend(canvas, options.width - kPageMargin, 30, panels[tested ? 1 : 0].series);
  canvas.save();
}

}  // namespace convoy::plot
