// Whole training steps and evaluation of the tutorial's model on synthetic digits, as images/s.
#include <benchmark/benchmark.h>

#include <numeric>

#include "core/base/parallel.h"
#include "core/data/batch.h"
#include "core/data/synthetic.h"
#include "core/nn/cross_entropy.h"
#include "core/optim/adam.h"
#include "launcher/build_model.h"
#include "launcher/model_file.h"
#include "tests/bench/rate.h"

namespace convoy::bench {
namespace {

struct Tutorial {
  explicit Tutorial(std::int64_t size)
      : dataset(data::draw_synthetic({.size = size})),
        model(launcher::build_model(launcher::load_model("tutorial"), dataset.batch_shape(size),
                                    dataset.classes())),
        store(model->named_parameters(), 0),
        ids(static_cast<std::size_t>(size)) {
    std::iota(ids.begin(), ids.end(), 0);
    data::BatchLoader(dataset, {}).load(ids, 0, batch);
  }

  data::Dataset dataset;
  std::unique_ptr<nn::Sequential> model;
  ParameterStore store;
  std::vector<std::int64_t> ids;
  data::Batch batch;
};

// Forward, loss, backward and Adam, on a batch that is ready.
void training_step(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(1)));
  Tutorial tutorial(state.range(0));
  optim::Adam adam(static_cast<std::int64_t>(tutorial.store.values().size()));
  Tape tape;
  const auto step = [&] {
    tutorial.store.zero_grad();
    tape.begin_step({});
    const Variable logits = tutorial.model->forward(tape, tutorial.batch.images);
    tape.backward(nn::cross_entropy(tape, logits, tutorial.batch.labels).value);
    adam.begin_step();
    adam.update(tutorial.store.values(), tutorial.store.gradients(), 0, {.lr = 1e-3});
  };
  step();  // allocates
  for (auto _ : state) {
    step();
  }
  report_rate(state, "images/s", static_cast<double>(state.range(0)));
}

void evaluation(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(1)));
  Tutorial tutorial(state.range(0));
  Tape tape = Tape::evaluation();
  const auto evaluate = [&] {
    benchmark::DoNotOptimize(tutorial.model->forward(tape, tutorial.batch.images).value().data());
  };
  evaluate();
  for (auto _ : state) {
    evaluate();
  }
  report_rate(state, "images/s", static_cast<double>(state.range(0)));
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"batch", "threads"})->UseRealTime()->Unit(benchmark::kMillisecond);
  bench->ArgsProduct({benchmark::CreateRange(1, 1024, 2), {1, 2}});
}

BENCHMARK(training_step)->Name("TrainingStep")->Apply(sizes);
BENCHMARK(evaluation)->Name("Evaluation")->Apply(sizes);

}  // namespace
}  // namespace convoy::bench
