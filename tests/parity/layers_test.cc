// Every layer and the loss against PyTorch on real numbers (layer_cases.py).

#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/nn/cross_entropy.h"
#include "tests/parity/fixture.h"
#include "tests/parity/make_layer.h"
#include "tests/parity/run_layer.h"
#include "tests/parity/torch_order.h"

namespace convoy::parity {
namespace {

const Json& fixture() {
  static const Json layers = read_fixture("layers");
  return layers;
}

Shape shape_of(const Json& shape) {
  return shape_from_torch(shape.get<std::vector<std::int64_t>>());
}

void expect_all_close(const std::map<std::string, std::vector<float>>& actual,
                      const Json& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  for (const auto& [name, values] : actual) {
    expect_close(name, values, expected.at(name), kLayerTolerance);
  }
}

void expect_parity(const Json& layer_case, const Draw& draw) {
  SCOPED_TRACE(layer_case["layer"].dump() + layer_case["options"].dump() + " on " +
               layer_case["input"].dump());
  const std::unique_ptr<nn::Module> layer = make_layer(layer_case["layer"], layer_case["options"]);
  const LayerResult result =
      run_layer(*layer, shape_of(layer_case["input"]), layer_case["training"], draw);
  EXPECT_EQ(result.output_shape, shape_of(layer_case["output_shape"]));
  expect_close("output", result.output, layer_case["output"], kLayerTolerance);
  expect_close("input gradient", result.input_gradient, layer_case["input_gradient"],
               kLayerTolerance);
  expect_all_close(result.gradients, layer_case["gradients"]);
  expect_all_close(result.buffers, layer_case["buffers"]);
}

Draw real_numbers() {
  return [](std::uint32_t sequence, std::int64_t count) { return uniform(sequence, count); };
}

TEST(LayersParityTest, ForwardAndEveryGradientAgree) {
  for (const Json& layer_case : fixture()["cases"]) {
    expect_parity(layer_case, real_numbers());
  }
}

TEST(LayersParityTest, WhatPyTorchRefusesIsRefused) {
  for (const Json& refused : fixture()["refused"]) {
    EXPECT_THROW(run_layer(*make_layer(refused["layer"], refused["options"]),
                           shape_of(refused["input"]), {true}, real_numbers()),
                 Error)
        << refused;
  }
}

TEST(LayersParityTest, CrossEntropyAndItsGradientAgree) {
  for (const Json& loss_case : fixture()["losses"]) {
    SCOPED_TRACE(loss_case["logits"].dump() + loss_case["options"].dump());
    const std::int64_t rows = loss_case["logits"][0];
    const std::int64_t classes = loss_case["logits"][1];
    const double scale = loss_case["scale"];
    const bool sum = loss_case["options"].value("reduction", "mean") == "sum";
    using Reduction = nn::CrossEntropyOptions::Reduction;
    Tape tape;
    const Variable logits =
        tape.watch(Tensor::of({rows, classes}, uniform(kInput, rows * classes, -scale, scale)));
    const nn::Loss loss = nn::cross_entropy(
        tape, logits, labels(/*step=*/0, rows, static_cast<std::uint32_t>(classes)),
        {.label_smoothing = loss_case["options"].value("label_smoothing", 0.0),
         .reduction = sum ? Reduction::kSum : Reduction::kMean});
    tape.backward(loss.value);
    expect_close("value", loss.value.value().values()[0], loss_case["value"], kLayerTolerance);
    expect_close("gradient", tape.grad(logits).values(), loss_case["gradient"], kLayerTolerance);
  }
}

}  // namespace
}  // namespace convoy::parity
