// What must be the same on all ranks of a job, and the table of who differs in what. Whatever is in
// it, nobody here knows: that says launcher/fingerprint_of.h.
#pragma once

#include <string>
#include <vector>

#include "dist/communicator.h"

namespace convoy::dist {

/// Points and their values, in the order to show them: {"seed", "0"}, {"train data", "3f91..."}.
class Fingerprint {
 public:
  struct Point {
    std::string name;
    std::string value;
  };

  /// A text that is longer than fits a table is replaced by its beginning and a hash of it all.
  void add(const std::string& name, const std::string& value);
  const std::vector<Point>& points() const { return points_; }
  /// nullptr if it has no such point.
  const std::string* find(const std::string& name) const;

 private:
  std::vector<Point> points_;
};

/// Compares the fingerprints of all ranks; a collective. Returns "" if all are equal, otherwise the
/// table to show, the same on every rank: all of them know, so that they can leave in good order.
/// What differs is told point by point: the value of most ranks (of equally many, that of the
/// lowest rank), and who has another. A point that a rank lacks differs too.
std::string disagreement(Communicator& communicator, const Fingerprint& mine);

}  // namespace convoy::dist
