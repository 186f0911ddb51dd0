#include "launcher/confusion.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/base/check.h"

namespace convoy::launcher {

ConfusionMatrix::ConfusionMatrix(std::vector<std::string> class_names)
    : names_(std::move(class_names)), counts_(names_.size() * names_.size()) {
  check(!names_.empty(), "a confusion matrix needs at least one class");
}

void ConfusionMatrix::add(int truth, int predicted, std::int64_t count) {
  counts_[static_cast<std::size_t>(truth) * names_.size() + static_cast<std::size_t>(predicted)] +=
      count;
}

std::int64_t ConfusionMatrix::count(int truth, int predicted) const {
  return counts_[static_cast<std::size_t>(truth) * names_.size() +
                 static_cast<std::size_t>(predicted)];
}

std::int64_t ConfusionMatrix::row_total(int truth) const {
  const auto row = counts_.begin() + static_cast<std::ptrdiff_t>(truth) * classes();
  return std::accumulate(row, row + classes(), std::int64_t{0});
}

std::int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

std::int64_t ConfusionMatrix::correct() const {
  std::int64_t sum = 0;
  for (int i = 0; i < classes(); ++i) {
    sum += count(i, i);
  }
  return sum;
}

double ConfusionMatrix::recall(int truth) const {
  const std::int64_t images = row_total(truth);
  return images == 0 ? std::numeric_limits<double>::quiet_NaN()
                     : static_cast<double>(count(truth, truth)) / static_cast<double>(images);
}

double ConfusionMatrix::accuracy() const {
  const std::int64_t images = total();
  return images == 0 ? std::numeric_limits<double>::quiet_NaN()
                     : static_cast<double>(correct()) / static_cast<double>(images);
}

std::vector<ConfusionMatrix::Confusion> ConfusionMatrix::frequent_confusions(int most) const {
  std::vector<Confusion> confusions;
  for (int truth = 0; truth < classes(); ++truth) {
    for (int predicted = 0; predicted < classes(); ++predicted) {
      if (truth != predicted && count(truth, predicted) > 0) {
        confusions.push_back({truth, predicted, count(truth, predicted)});
      }
    }
  }
  std::ranges::stable_sort(confusions, std::greater(), &Confusion::count);
  confusions.resize(std::min(confusions.size(), static_cast<std::size_t>(most)));
  return confusions;
}

}  // namespace convoy::launcher
