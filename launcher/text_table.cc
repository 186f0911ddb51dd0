#include "launcher/text_table.h"

#include <algorithm>

#include "core/base/check.h"
#include "launcher/bar.h"
#include "launcher/utf8.h"

namespace convoy::launcher {

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string>& headings = rows_.emplace_back();
  for (const Column& column : columns_) {
    headings.push_back(column.heading);
  }
}

void TextTable::add(std::vector<std::string> cells) {
  check(cells.size() == columns_.size(), "{} cells for {} columns", cells.size(), columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::string> TextTable::lines(int width) const {
  constexpr int kGap = 2;
  std::vector<int> widths(columns_.size());
  int total = -kGap;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    for (const std::vector<std::string>& row : rows_) {
      widths[i] = std::max(widths[i], utf8_length(row[i]));
    }
    total += widths[i] + kGap;
  }
  std::vector<bool> shown(columns_.size(), true);
  while (total > width) {
    const auto rank = [&](std::size_t i) { return shown[i] ? columns_[i].rank : 0; };
    std::size_t least = 0;
    for (std::size_t i = 1; i < columns_.size(); ++i) {
      least = rank(i) > rank(least) ? i : least;
    }
    if (rank(least) == 0) {
      break;
    }
    shown[least] = false;
    total -= widths[least] + kGap;
  }
  std::vector<std::string> lines;
  for (const std::vector<std::string>& row : rows_) {
    std::string& line = lines.emplace_back();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (shown[i]) {
        const std::string space = repeat(" ", widths[i] - utf8_length(row[i]));
        const std::string gap = repeat(" ", line.empty() ? 0 : kGap);
        line += gap + (columns_[i].right ? space + row[i] : row[i] + space);
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return lines;
}

}  // namespace convoy::launcher
