#include <fmt/format.h>

#include <algorithm>

#include "launcher/confusion.h"
#include "launcher/format.h"
#include "launcher/utf8.h"

namespace convoy::launcher {
namespace {

constexpr int kMostConfusions = 10;
constexpr int kRecallWidth = 10;  // "  100.00 %"
constexpr const char* kCorner = "true \\ predicted";

std::string first_letters(const std::string& name, int most) {
  std::string letters;
  int length = 0;
  for (const char c : name) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    length += continues ? 0 : 1;
    if (length > most) {
      break;
    }
    letters += c;
  }
  return letters;
}

std::string padding(int width, std::string_view text) {
  return std::string(static_cast<std::size_t>(std::max(0, width - utf8_length(text))), ' ');
}

std::string left(const std::string& text, int width) {
  return text + padding(width, text);
}
std::string right(const std::string& text, int width) {
  return padding(width, text) + text;
}

std::string cell(std::int64_t count, bool diagonal, int width, bool colour) {
  const std::string text = right(count == 0 ? "." : fmt::format("{}", count), width);
  const char* style = count == 0 ? "\x1b[2m" : diagonal ? "" : "\x1b[31m";
  return colour && *style != '\0' ? fmt::format("{}{}\x1b[0m", style, text) : text;
}

// Widths of the table in characters.
struct Layout {
  int name;
  int cell;
  int total(int classes) const { return name + classes * (cell + 1) + kRecallWidth; }
};

std::string table(const ConfusionMatrix& matrix, const std::vector<std::string>& names,
                  const Layout& layout, bool colour) {
  std::string text = left(kCorner, layout.name);
  for (const std::string& name : names) {
    text += ' ';
    text += right(first_letters(name, layout.cell), layout.cell);
  }
  text += right("recall", kRecallWidth) + "\n";
  for (int truth = 0; truth < matrix.classes(); ++truth) {
    text += left(names[static_cast<std::size_t>(truth)], layout.name);
    for (int predicted = 0; predicted < matrix.classes(); ++predicted) {
      text += ' ';
      text += cell(matrix.count(truth, predicted), truth == predicted, layout.cell, colour);
    }
    text += right(format_percent(matrix.recall(truth)), kRecallWidth) + "\n";
  }
  return text;
}

std::string list(const ConfusionMatrix& matrix, const std::vector<std::string>& names,
                 int name_width) {
  std::string text = "recall of each class\n";
  for (int truth = 0; truth < matrix.classes(); ++truth) {
    text += fmt::format(
        "  {}  {:>8}  {} of {}\n", left(names[static_cast<std::size_t>(truth)], name_width),
        format_percent(matrix.recall(truth)), format_count(matrix.count(truth, truth)),
        format_count(matrix.row_total(truth)));
  }
  const auto confusions = matrix.frequent_confusions(kMostConfusions);
  text += confusions.empty() ? "" : "most frequent mistakes\n";
  for (const ConfusionMatrix::Confusion& confusion : confusions) {
    text += fmt::format("  {:>6} times {} was taken for {}\n", format_count(confusion.count),
                        names[static_cast<std::size_t>(confusion.truth)],
                        names[static_cast<std::size_t>(confusion.predicted)]);
  }
  return text;
}

}  // namespace

std::string confusion_text(const ConfusionMatrix& matrix, const ConfusionTextOptions& options) {
  std::vector<std::string> names;
  int longest = 0;
  for (const std::string& name : matrix.names()) {
    names.push_back(valid_utf8(name));
    longest = std::max(longest, utf8_length(names.back()));
  }
  int digits = 1;
  for (int truth = 0; truth < matrix.classes(); ++truth) {
    for (int predicted = 0; predicted < matrix.classes(); ++predicted) {
      digits = std::max(
          digits, static_cast<int>(fmt::formatted_size("{}", matrix.count(truth, predicted))));
    }
  }
  // Headings give way first: a column may be as narrow as its counts.
  Layout layout = {.name = std::max(longest, utf8_length(kCorner)),
                   .cell = std::max(digits + 2, longest)};
  const auto too_wide = [&] {
    return options.columns > 0 && layout.total(matrix.classes()) > options.columns;
  };
  while (too_wide() && layout.cell > digits) {
    --layout.cell;
  }
  const std::string body =
      too_wide() ? list(matrix, names, longest) : table(matrix, names, layout, options.colour);
  return fmt::format("{}{} of {} correct: {}\n", body, format_count(matrix.correct()),
                     format_count(matrix.total()), format_percent(matrix.accuracy()));
}

}  // namespace convoy::launcher
