#include "dist/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/dist/training_run.h"

namespace convoy::dist {
namespace {

using testing::digits;
using testing::small_model;

TEST(EvaluatorTest, CountsEveryImageOnceWhateverTheBatchSize) {
  const auto model = small_model(true);
  const ParameterStore store(model->named_parameters(), 1);
  const data::Dataset& test = digits(data::Split::kTest);
  LocalCommunicator communicator;
  const Evaluation whole = evaluate(*model, test, communicator, {.batch_size = 101});
  const Evaluation parts = evaluate(*model, test, communicator, {.batch_size = 7});
  EXPECT_EQ(whole.metrics.images, 101);
  EXPECT_EQ(parts.metrics.images, 101);
  EXPECT_EQ(whole.confusion, parts.confusion);
  EXPECT_EQ(whole.metrics.correct, parts.metrics.correct);
  EXPECT_NEAR(whole.metrics.loss(), parts.metrics.loss(), 1e-6);
  EXPECT_EQ(std::accumulate(whole.confusion.begin(), whole.confusion.end(), std::int64_t{0}), 101);
  std::int64_t diagonal = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    diagonal += whole.confusion[i * 10 + i];
  }
  EXPECT_EQ(diagonal, whole.metrics.correct);
}

TEST(EvaluatorTest, PredictionsAgreeWithTheEvaluation) {
  const auto model = small_model(true);
  const ParameterStore store(model->named_parameters(), 1);
  const data::Dataset& test = digits(data::Split::kTest);
  LocalCommunicator communicator;
  const Evaluation evaluation = evaluate(*model, test, communicator);
  std::vector<std::int64_t> ids(101);
  std::iota(ids.begin(), ids.end(), 0);
  data::Batch batch;
  data::BatchLoader(test, {}).load(ids, 0, batch);
  std::int64_t correct = 0;
  const std::vector<Prediction> predictions = predict(*model, batch.images);
  for (std::size_t i = 0; i < 101; ++i) {
    correct += predictions[i].label == batch.labels[i] ? 1 : 0;
    EXPECT_GE(predictions[i].confidence, 0.1F);
    EXPECT_LE(predictions[i].confidence, 1.0F);
  }
  EXPECT_EQ(correct, evaluation.metrics.correct);
}

TEST(MetricsTest, AveragesOfNothingAreNoNumbers) {
  EXPECT_TRUE(std::isnan(Metrics().loss()));
  EXPECT_TRUE(std::isnan(Metrics().accuracy()));
}

}  // namespace
}  // namespace convoy::dist
