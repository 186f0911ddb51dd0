// Whole training steps and evaluation of the tutorial's model on synthetic digits, as images/s.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <vector>

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
  // Enough images that none is soon learned by heart: gradients of zero would cost less. Of the
  // poolings' winners 40 to 49 % have a gradient here; on MNIST 52 % at first, 20 % after an epoch.
  static constexpr std::int64_t kImages = 4096;

  explicit Tutorial(std::int64_t size)
      : dataset(data::draw_synthetic({.size = kImages})),
        model(launcher::build_model(launcher::load_model("tutorial"), dataset.batch_shape(size),
                                    dataset.classes())),
        store(model->named_parameters(), 0),
        batches(static_cast<std::size_t>(std::max<std::int64_t>(kImages / size / 2, 1))) {
    std::vector<std::int64_t> ids(static_cast<std::size_t>(size));
    std::int64_t next = 0;
    for (data::Batch& batch : batches) {
      std::iota(ids.begin(), ids.end(), next);
      next += size;
      data::BatchLoader(dataset, {}).load(ids, 0, batch);
    }
  }

  const data::Batch& next_batch() { return batches[++steps % batches.size()]; }

  data::Dataset dataset;
  std::unique_ptr<nn::Sequential> model;
  ParameterStore store;
  std::vector<data::Batch> batches;
  std::size_t steps = 0;
};

// Forward, loss, backward and Adam, on a batch that is ready.
void training_step(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(1)));
  Tutorial tutorial(state.range(0));
  optim::Adam adam(static_cast<std::int64_t>(tutorial.store.values().size()));
  Tape tape;
  const auto step = [&] {
    const data::Batch& batch = tutorial.next_batch();
    tutorial.store.zero_grad();
    tape.begin_step({});
    const Variable logits = tutorial.model->forward(tape, batch.images);
    tape.backward(nn::cross_entropy(tape, logits, batch.labels).value);
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
    benchmark::DoNotOptimize(
        tutorial.model->forward(tape, tutorial.next_batch().images).value().data());
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
