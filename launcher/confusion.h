// Which classes a model takes for which: the table, and how it reads in a terminal. The picture is
// in launcher/plot/confusion_picture.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convoy::launcher {

/// Counts of images by true class (rows) and predicted class (columns).
class ConfusionMatrix {
 public:
  /// Throws Error if there is no class name.
  explicit ConfusionMatrix(std::vector<std::string> class_names);

  /// REQUIRES: 0 <= truth, predicted < classes().
  void add(int truth, int predicted, std::int64_t count = 1);

  int classes() const { return static_cast<int>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  std::int64_t count(int truth, int predicted) const;
  /// Images of a true class.
  std::int64_t row_total(int truth) const;
  std::int64_t total() const;
  std::int64_t correct() const;
  /// Share of a class's images that are recognised, in [0, 1]; NaN without images.
  double recall(int truth) const;
  double accuracy() const;

  struct Confusion {
    int truth = 0;
    int predicted = 0;
    std::int64_t count = 0;
  };
  /// Pairs of unequal classes that occur, most frequent first, at most `most`.
  std::vector<Confusion> frequent_confusions(int most) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::int64_t> counts_;
};

struct ConfusionTextOptions {
  int columns = 0;      ///< width of the terminal; 0: as wide as the table needs
  bool colour = false;  ///< ANSI: zeros dimmed, mistakes red
};

/// A table with a line per true class and its recall, "." for zero. Where it would be wider than
/// the terminal: the recall of each class and the most frequent mistakes. Ends with a newline.
std::string confusion_text(const ConfusionMatrix& matrix, const ConfusionTextOptions& options);

}  // namespace convoy::launcher
