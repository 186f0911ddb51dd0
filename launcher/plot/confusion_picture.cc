#include "launcher/plot/confusion_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "launcher/format.h"
#include "launcher/plot/canvas.h"
#include "launcher/plot/page.h"

namespace convoy::plot {
namespace {

using launcher::ConfusionMatrix;

constexpr double kAxisTitle = 26;  // beside the names, for "true" and "predicted"
constexpr double kRecallRoom = 70;

// The share of a row that is a mistake in full colour, unless a larger one is there.
constexpr double kStrongMistake = 0.03;

double share_of_row(const ConfusionMatrix& matrix, int truth, int predicted) {
  const auto images = static_cast<double>(std::max<std::int64_t>(1, matrix.row_total(truth)));
  return static_cast<double>(matrix.count(truth, predicted)) / images;
}

double largest_mistake(const ConfusionMatrix& matrix) {
  double largest = 0;
  for (const ConfusionMatrix::Confusion& confusion :
       matrix.frequent_confusions(matrix.classes() * matrix.classes())) {
    largest = std::max(largest, share_of_row(matrix, confusion.truth, confusion.predicted));
  }
  return largest;
}

struct Layout {
  double header_height = 0;
  double cell = 0;
  TextStyle name = {};   // of classes
  double name_room = 0;  // for the longest of them
  bool turned = false;   // names above the columns
  Point origin = {};     // of the first square
};

Layout make_layout(Canvas& canvas, const ConfusionMatrix& matrix, const Header& header) {
  Layout layout = {.header_height = header_height(header)};
  layout.cell = std::clamp(560.0 / matrix.classes(), 15.0, 48.0);
  layout.name = {.size = std::clamp(layout.cell * 0.5, 8.0, 12.0)};
  for (const std::string& name : matrix.names()) {
    layout.name_room = std::max(layout.name_room, canvas.text_width(name, layout.name));
  }
  layout.turned = layout.name_room > layout.cell - 4;
  const double above = layout.turned ? layout.name_room : layout.name.size;
  layout.origin = {kPageMargin + kAxisTitle + layout.name_room + 10,
                   layout.header_height + kAxisTitle + above + 10};
  return layout;
}

void draw_square(Canvas& canvas, const Box& box, std::int64_t count, double strength,
                 bool diagonal) {
  const double depth = count == 0 ? 0 : 0.1 + 0.9 * strength;
  const Colour colour = mix(kEmpty, diagonal ? kBlue : kVermillion, depth);
  canvas.fill(box, colour);
  const std::string text = fmt::format("{}", count);
  TextStyle style = {.size = std::clamp(box.width * 0.32, 6.5, 13.0),
                     .colour = readable_on(colour),
                     .align = Align::kCentre};
  if (count > 0 && canvas.text_width(text, style) <= box.width - 1.5) {
    canvas.text({box.x + box.width / 2, box.y + box.height / 2}, text, style);
  }
}

void draw_names(Canvas& canvas, const ConfusionMatrix& matrix, const Layout& layout) {
  const double side = matrix.classes() * layout.cell;
  const TextStyle axis = {.size = 12, .colour = kMuted, .align = Align::kCentre};
  canvas.text({layout.origin.x + side / 2, layout.header_height + kAxisTitle / 2 - 4}, "predicted",
              axis);
  TextStyle upwards = axis;
  upwards.upwards = true;
  canvas.text({kPageMargin + 6, layout.origin.y + side / 2}, "true", upwards);
  TextStyle right = axis;
  right.align = Align::kRight;
  canvas.text({layout.origin.x + side + kRecallRoom, layout.origin.y - 14}, "recall", right);
  for (int i = 0; i < matrix.classes(); ++i) {
    const std::string& name = matrix.names()[static_cast<std::size_t>(i)];
    const double middle = (i + 0.5) * layout.cell;
    TextStyle row = layout.name;
    row.align = Align::kRight;
    canvas.text({layout.origin.x - 8, layout.origin.y + middle}, name, row);
    TextStyle column = layout.name;
    column.upwards = layout.turned;
    column.align = layout.turned ? Align::kLeft : Align::kCentre;
    const double above = layout.turned ? 8 : 8 + layout.name.size / 2;
    canvas.text({layout.origin.x + middle, layout.origin.y - above}, name, column);
    TextStyle recall = layout.name;
    recall.align = Align::kRight;
    canvas.text({layout.origin.x + side + kRecallRoom, layout.origin.y + middle},
                launcher::format_percent(matrix.recall(i)), recall);
  }
}

}  // namespace

void draw_confusion(const std::filesystem::path& path, const ConfusionMatrix& matrix,
                    const std::string& title) {
  const Header header = {
      .title = title,
      .subtitle = fmt::format("{} of {} correct: {}", launcher::format_count(matrix.correct()),
                              launcher::format_count(matrix.total()),
                              launcher::format_percent(matrix.accuracy()))};
  // Text can be measured only on a page, and the page's size depends on it.
  Canvas ruler(path, 1, 1);
  const Layout layout = make_layout(ruler, matrix, header);
  const double side = matrix.classes() * layout.cell;
  const double width =
      std::max(header_width(ruler, header), layout.origin.x + side + kRecallRoom + kPageMargin);
  Canvas canvas(path, width, layout.origin.y + side + kPageMargin);
  draw_header(canvas, header, width);
  draw_names(canvas, matrix, layout);
  const double largest = std::max(kStrongMistake, largest_mistake(matrix));
  for (int truth = 0; truth < matrix.classes(); ++truth) {
    for (int predicted = 0; predicted < matrix.classes(); ++predicted) {
      const double share = share_of_row(matrix, truth, predicted);
      draw_square(canvas,
                  {.x = layout.origin.x + predicted * layout.cell + 0.5,
                   .y = layout.origin.y + truth * layout.cell + 0.5,
                   .width = layout.cell - 1,
                   .height = layout.cell - 1},
                  matrix.count(truth, predicted),
                  truth == predicted ? share : std::sqrt(share / largest), truth == predicted);
    }
  }
  canvas.save();
}

}  // namespace convoy::plot
