// A table of text: columns side by side, the least important ones left out where space is short.
#pragma once

#include <string>
#include <vector>

namespace convoy::launcher {

class TextTable {
 public:
  struct Column {
    std::string heading = {};
    bool right = false;  ///< numbers
    /// The highest goes first when space is short; 0 stays.
    int rank = 0;
  };

  explicit TextTable(std::vector<Column> columns);

  /// A row with a cell per column, of valid UTF-8.
  void add(std::vector<std::string> cells);

  /// Lines of at most `width` characters, if the columns of rank 0 fit in: the headings, and every
  /// row.
  std::vector<std::string> lines(int width) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace convoy::launcher
