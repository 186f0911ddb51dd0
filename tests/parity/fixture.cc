#include "tests/parity/fixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <vector>

namespace convoy::parity {
namespace {

void expect_close(const std::string& what, std::span<const double> actual,
                  std::span<const double> expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size()) << what << ": number of elements";
  double largest = 0;
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    const double difference = std::abs(actual[i] - expected[i]);
    if (!(difference <= worst)) {  // so that NaN is the worst
      worst = difference;
      where = i;
    }
  }
  EXPECT_LE(worst, tolerance * largest)
      << what << ", element " << where << " of " << expected.size()
      << " in PyTorch's order: " << actual[where] << " where PyTorch has " << expected[where];
}

}  // namespace

Json read_fixture(const std::string& name) {
  std::ifstream file(CONVOY_PARITY_FIXTURES "/" + name + ".json");
  return Json::parse(file);
}

void expect_close(const std::string& what, std::span<const float> actual, const Json& expected,
                  double tolerance) {
  const std::vector<double> values(actual.begin(), actual.end());
  expect_close(what, values, expected.get<std::vector<double>>(), tolerance);
}

void expect_close(const std::string& what, double actual, const Json& expected, double tolerance) {
  const double value = expected.get<double>();
  expect_close(what, {&actual, 1}, {&value, 1}, tolerance);
}

}  // namespace convoy::parity
