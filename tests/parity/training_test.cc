// Ten training steps against PyTorch: every loss, and the weights in the end (training_cases.py).

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "core/nn/cross_entropy.h"
#include "core/optim/adam.h"
#include "core/optim/schedule.h"
#include "core/optim/sgd.h"
#include "tests/parity/fixture.h"
#include "tests/parity/models.h"
#include "tests/parity/synthetic.h"
#include "tests/parity/torch_order.h"

namespace convoy::parity {
namespace {

struct Recipe {
  std::int64_t batch_size = 0;
  std::uint32_t classes = 0;
  std::function<Tensor(std::uint32_t step, std::span<const std::uint8_t> labels)> images = {};
  std::unique_ptr<optim::Optimizer> optimizer = {};
  optim::Schedule schedule;
  nn::CrossEntropyOptions loss = {};
};

void expect_losses(nn::Module& model, ParameterStore& store, const Recipe& recipe,
                   const Json& losses) {
  Tape tape;
  for (std::uint32_t step = 0; const Json& expected : losses) {
    const std::vector<std::uint8_t> y = labels(step, recipe.batch_size, recipe.classes);
    tape.begin_step({.step = step});
    store.zero_grad();
    const nn::Loss loss =
        nn::cross_entropy(tape, model.forward(tape, recipe.images(step, y)), y, recipe.loss);
    tape.backward(loss.value);
    recipe.optimizer->begin_step();
    recipe.optimizer->update(store.values(), store.gradients(), /*offset=*/0,
                             {.lr = recipe.schedule.lr_at(step)});
    expect_close("loss of step " + std::to_string(step), loss.value.value().values()[0], expected,
                 kTrainingTolerance);
    ++step;
  }
}

void expect_state(const ParameterStore& store, const Json& state) {
  EXPECT_EQ(store.parameters().size(), state.size());
  for (const Parameter* parameter : store.parameters()) {
    const std::vector<float> values = to_torch(parameter->value(), parameter->layout());
    const Json& expected = state.at(parameter->name());
    std::vector<float> samples = values;
    if (const std::size_t count = expected["samples"].size(); count < values.size()) {
      samples.resize(count);
      for (std::size_t i = 0; i < count; ++i) {
        samples[i] = values[bits(kSamples, static_cast<std::int64_t>(i)) % values.size()];
      }
    }
    expect_close(parameter->name(), samples, expected["samples"], kTrainingTolerance);
    const double norm =
        std::sqrt(std::accumulate(values.begin(), values.end(), 0.0,
                                  [](double sum, double value) { return sum + value * value; }));
    expect_close("norm of " + parameter->name(), norm, expected["norm"], kTrainingTolerance);
  }
}

TEST(TrainingParityTest, TutorialWithAdam) {
  const Json fixture = read_fixture("training")["tutorial"];
  const auto model = tutorial_model();
  ParameterStore store(model->named_parameters(), /*seed=*/0);
  fill(store);
  const Tensor digits = block_digits();
  const Recipe recipe = {.batch_size = 32,
                         .classes = 10,
                         .images =
                             [&](std::uint32_t, std::span<const std::uint8_t> labels) {
                               Tensor images({std::ssize(labels), 28, 28, 1});
                               for (std::size_t i = 0; i < labels.size(); ++i) {
                                 std::ranges::copy(
                                     digits.values().subspan(labels[i] * 28UL * 28UL, 28UL * 28UL),
                                     images.values().subspan(i * 28 * 28).begin());
                               }
                               return images;
                             },
                         .optimizer = std::make_unique<optim::Adam>(std::ssize(store.values())),
                         .schedule = optim::Schedule({.lr = 0.001})};
  expect_losses(*model, store, recipe, fixture["losses"]);
  expect_state(store, fixture["state"]);
}

TEST(TrainingParityTest, BatchNormWithNesterovAndCosine) {
  const Json fixture = read_fixture("training")["small"];
  const auto model = small_model();
  ParameterStore store(model->named_parameters(), /*seed=*/0);
  fill(store);
  const Recipe recipe = {
      .batch_size = 16,
      .classes = 5,
      .images =
          [](std::uint32_t step, std::span<const std::uint8_t>) {
            Tensor images({16, 10, 14, 3});
            from_torch(images, uniform(kInput + kStep * step, images.elements()));
            return images;
          },
      .optimizer = std::make_unique<optim::Sgd>(
          std::ssize(store.values()),
          optim::SgdOptions{.momentum = 0.9, .weight_decay = 5e-4, .nesterov = true}),
      .schedule = optim::Schedule(
          {.kind = optim::ScheduleOptions::Kind::kCosine, .lr = 0.05, .total_steps = 10}),
      .loss = {.label_smoothing = 0.1}};
  expect_losses(*model, store, recipe, fixture["losses"]);
  expect_state(store, fixture["state"]);
}

}  // namespace
}  // namespace convoy::parity
