#include <cstdio>

#include "core/data/synthetic.h"
#include "core/nn/flatten.h"
#include "core/nn/linear.h"
#include "core/nn/sequential.h"
#include "core/optim/adam.h"
#include "dist/trainer.h"

using namespace convoy;

int main() {
  nn::Sequential model;
  model.add("flatten", std::make_unique<nn::Flatten>());
  model.add("fc", std::make_unique<nn::Linear>(
                      nn::LinearOptions{.in_features = 784, .out_features = 10}));
  ParameterStore store(model.named_parameters(), /*seed=*/0);
  optim::Adam adam(static_cast<std::int64_t>(store.values().size()));
  const optim::Schedule schedule({.lr = 0.001});
  const data::Dataset train = data::draw_synthetic({.split = data::Split::kTrain, .size = 2000});
  const data::Dataset test = data::draw_synthetic({.split = data::Split::kTest, .size = 500});
  dist::LocalCommunicator communicator;
  dist::Trainer trainer({model, store, adam, schedule, train, test, communicator}, {.epochs = 3});
  dist::Observer quiet;
  trainer.run(quiet);
  const double accuracy = dist::evaluate(model, test, communicator).metrics.accuracy();
  std::printf("test accuracy %.3f\n", accuracy);
  return accuracy > 0.5 ? 0 : 1;
}
