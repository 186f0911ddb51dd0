// A small training run for tests: digits drawn by convoy, a model that has every kind of layer.
#pragma once

#include <memory>

#include "core/data/synthetic.h"
#include "core/nn/batch_norm2d.h"
#include "core/nn/conv2d.h"
#include "core/nn/dropout.h"
#include "core/nn/flatten.h"
#include "core/nn/linear.h"
#include "core/nn/max_pool2d.h"
#include "core/nn/relu.h"
#include "core/nn/sequential.h"
#include "core/optim/adam.h"
#include "dist/trainer.h"

namespace convoy::dist::testing {

inline const data::Dataset& digits(data::Split split) {
  static const data::Dataset train =
      data::draw_synthetic({.split = data::Split::kTrain, .size = 203});
  static const data::Dataset test =
      data::draw_synthetic({.split = data::Split::kTest, .size = 101});
  return split == data::Split::kTrain ? train : test;
}

inline std::unique_ptr<nn::Sequential> small_model(bool batch_norm) {
  auto model = std::make_unique<nn::Sequential>();
  model->add("conv", std::make_unique<nn::Conv2d>(nn::Conv2dOptions{
                         .in_channels = 1,
                         .out_channels = 8,
                         .kernel_size = 3,
                         .padding = 1,
                         // Before batch norm its gradient is nothing but rounding.
                         .bias = !batch_norm}));
  if (batch_norm) {
    model->add("norm",
               std::make_unique<nn::BatchNorm2d>(nn::BatchNorm2dOptions{.num_features = 8}));
  }
  model->add("relu", std::make_unique<nn::ReLU>());
  model->add("pool", std::make_unique<nn::MaxPool2d>(nn::MaxPool2dOptions{.kernel_size = 4}));
  // Large enough for Winograd's way, with nothing behind it that would visit winners.
  model->add("conv2", std::make_unique<nn::Conv2d>(nn::Conv2dOptions{
                          .in_channels = 8, .out_channels = 32, .kernel_size = 3, .padding = 1}));
  model->add("drop", std::make_unique<nn::Dropout>(nn::DropoutOptions{.p = 0.2}));
  model->add("flatten", std::make_unique<nn::Flatten>());
  // So large that ranks which share memory leave its gradient as two factors, and of a width at
  // which a rank's part does not end with a row.
  model->add("hidden", std::make_unique<nn::Linear>(
                           nn::LinearOptions{.in_features = 32 * 7 * 7, .out_features = 60}));
  model->add(
      "fc", std::make_unique<nn::Linear>(nn::LinearOptions{.in_features = 60, .out_features = 10}));
  return model;
}

/// Everything a Trainer needs, alive together; one process unless a communicator is given.
struct TrainingRun {
  explicit TrainingRun(TrainerOptions options, double lr = 0.01, bool batch_norm = true)
      : TrainingRun(std::make_unique<LocalCommunicator>(), nullptr, options, lr, batch_norm) {}
  /// As one of several ranks.
  TrainingRun(Communicator& communicator, TrainerOptions options, double lr = 0.01,
              bool batch_norm = true)
      : TrainingRun(nullptr, &communicator, options, lr, batch_norm) {}

  std::vector<float> weights() const { return {store.values().begin(), store.values().end()}; }
  /// Weights and buffers.
  std::vector<float> everything() const {
    return {store.all_values().begin(), store.all_values().end()};
  }

 private:
  TrainingRun(std::unique_ptr<LocalCommunicator> local, Communicator* given,
              const TrainerOptions& options, double lr, bool batch_norm)
      : alone(std::move(local)),
        communicator(given != nullptr ? *given : *alone),
        model(small_model(batch_norm)),
        store(model->named_parameters(), 3),
        optimizer(optimizer_elements(store, communicator, options)),
        schedule({.lr = lr}),
        trainer({.model = *model,
                 .store = store,
                 .optimizer = optimizer,
                 .schedule = schedule,
                 .train = digits(data::Split::kTrain),
                 .test = digits(data::Split::kTest),
                 .communicator = communicator},
                options) {}

 public:
  std::unique_ptr<LocalCommunicator> alone;
  Communicator& communicator;
  std::unique_ptr<nn::Sequential> model;
  ParameterStore store;
  optim::Adam optimizer;
  optim::Schedule schedule;
  Trainer trainer;
};

}  // namespace convoy::dist::testing
