// Reads what PyTorch computed (generate.py writes it) and says when convoy agrees with it.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace convoy::parity {

using Json = nlohmann::json;

/// The one rule of agreement: no element differs by more than `tolerance` times the tensor's
/// largest magnitude. What that is for one operation, for ten steps of an optimizer that is given
/// its gradients, and for ten steps of training, in which differences grow.
constexpr double kLayerTolerance = 1e-5;
constexpr double kOptimizerTolerance = 1e-6;
constexpr double kTrainingTolerance = 1e-4;

/// Parses tests/parity/fixtures/`name`.json.
Json read_fixture(const std::string& name);

/// `expected` is a number or a list of them. One test failure, naming the worst element, if the
/// lengths or the values do not agree.
void expect_close(const std::string& what, std::span<const float> actual, const Json& expected,
                  double tolerance);
void expect_close(const std::string& what, double actual, const Json& expected, double tolerance);

}  // namespace convoy::parity
