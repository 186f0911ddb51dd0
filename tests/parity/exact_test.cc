// Layers against PyTorch, exactly, over cross products of what they take (exact_cases.py). What
// Winograd's tiles of 4 x 4 make is not exact, as they divide by other numbers than powers of two:
// of convolutions with as many channels as that takes the nearest integers are compared, if near.

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/check.h"
#include "tests/parity/fixture.h"
#include "tests/parity/make_layer.h"
#include "tests/parity/run_layer.h"
#include "tests/parity/torch_order.h"

namespace convoy::parity {
namespace {

// The case at `index` of the product of `axes`, the last axis fastest.
Json product_case(const Json& axes, std::size_t index) {
  std::vector<Json> choices;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    choices.push_back((*axis)[index % axis->size()]);
    index /= axis->size();
  }
  Json merged;
  for (; !choices.empty(); choices.pop_back()) {  // later axes override earlier ones
    merged.update(choices.back());
  }
  return merged;
}

// Integers for values that are closer to one than Winograd's rounding errs, by far.
std::vector<float> nearest_integers(std::vector<float> values) {
  constexpr float kNear = 0.01F;
  for (float& value : values) {
    if (const float integer = std::round(value); std::abs(value - integer) < kNear) {
      value = integer;
    }
  }
  return values;
}

// Checksums as the fixture has them; null if convoy refuses.
Json run(const Json& layer_case) {
  Json options = layer_case;
  options.erase("layer");
  options.erase("input");
  try {
    const std::unique_ptr<nn::Module> layer = make_layer(layer_case["layer"], options);
    LayerResult result = run_layer(
        *layer, shape_from_torch(layer_case["input"].get<std::vector<std::int64_t>>()), {true},
        [](std::uint32_t sequence, std::int64_t count) { return integers(sequence, count, 3); });
    if (layer_case["layer"] == "Conv2d" && layer_case["in_channels"] >= 8) {
      result.output = nearest_integers(std::move(result.output));
      result.input_gradient = nearest_integers(std::move(result.input_gradient));
      result.gradients["weight"] = nearest_integers(std::move(result.gradients["weight"]));
    }
    Json sums = {checksum(result.output), checksum(result.input_gradient)};
    for (const char* name : {"weight", "bias"}) {
      if (result.gradients.contains(name)) {
        sums.push_back(checksum(result.gradients.at(name)));
      }
    }
    return sums;
  } catch (const Error&) {
    return nullptr;
  }
}

TEST(ExactParityTest, OutputsGradientsAndRefusalsAreTheSame) {
  constexpr int kShown = 5;
  const Json fixture = read_fixture("exact");
  for (const auto& [name, product] : fixture.items()) {
    const Json& results = product["results"];
    int different = 0;
    std::string shown;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Json layer_case = product_case(product["axes"], i);
      if (const Json actual = run(layer_case); actual != results[i] && ++different <= kShown) {
        shown += "\n  " + layer_case.dump() + "\n    convoy " + actual.dump() + ", PyTorch " +
                 results[i].dump();
      }
    }
    EXPECT_EQ(different, 0)
        << "of " << results.size() << " cases of " << name << ". Checksums are of output, input "
        << "gradient, weight and bias gradient; null is a refusal; generate.py --exact CASE prints "
        << "PyTorch's tensors." << shown;
  }
}

}  // namespace
}  // namespace convoy::parity
