#include "dist/coordinator/book/epoch_book.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/dist/coordinator/book/requests.h"

namespace convoy::testing {
namespace {

using dist::EpochBook;
using dist::EpochRow;
using dist::Totals;

constexpr std::int64_t kRunId = 7;
constexpr Totals kStep = {.images = 32, .correct = 30, .loss_sum = 2.5};

Totals no_history(std::int64_t /*run*/, std::int64_t /*epoch*/, std::int64_t /*last_step*/) {
  return {};
}

v1::Run shown(const EpochBook& book, v1::RunState state = v1::RUN_STATE_RUNNING) {
  v1::Run run;
  run.set_state(state);
  book.show(run, 3);
  return run;
}

std::vector<EpochRow> changes(EpochBook& book) {
  std::vector<EpochRow> rows;
  book.take_changes(rows);
  return rows;
}

v1::EpochMetrics end_of(std::int64_t epoch) {
  return finished_epoch(1, epoch, 1).epoch();
}

EpochBook begun() {
  EpochBook book(kRunId);
  EXPECT_EQ(book.begin(registration(1), false, no_history), 0);
  return book;
}

TEST(EpochBookTest, StepsAddUpToTheEpochInProgress) {
  EpochBook book = begun();
  EXPECT_EQ(shown(book).epoch(), 1);
  for (std::int64_t step = 1; step <= 11; ++step) {
    const std::int64_t epoch = (step - 1) / kEpochSteps + 1;
    book.count(epoch, kStep);
    book.close({.step = step, .epoch = epoch, .sums = kStep});
  }
  EXPECT_EQ(book.in_progress(), 2);
  EXPECT_EQ(book.so_far(), kStep);
  EXPECT_EQ(shown(book).epoch(), 2);
  EXPECT_EQ(shown(book).epoch_so_far().images(), 32);
  const std::vector<EpochRow> rows = changes(book);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].metrics.aggregated().images(), 320);
  EXPECT_FALSE(rows[0].finished);
  EXPECT_TRUE(changes(book).empty());
}

TEST(EpochBookTest, EndOfAnEpochIsNewsOnce) {
  EpochBook book = begun();
  book.count(1, kStep);
  EXPECT_TRUE(book.finish(end_of(1)));
  EXPECT_FALSE(book.finish(end_of(1)));
  EXPECT_EQ(shown(book).last_epoch().epoch(), 1);
  EXPECT_EQ(shown(book).last_epoch().aggregated().images(), 32);
  EXPECT_EQ(shown(book).epoch(), 2);
  EXPECT_EQ(shown(book, v1::RUN_STATE_SUCCEEDED).epoch(), 1);
}

TEST(EpochBookTest, LateCountsReachAnEpochUntilItIsSettled) {
  EpochBook book = begun();
  book.count(1, kStep);
  book.finish(end_of(1));
  book.close({.step = 11, .epoch = 2, .sums = kStep});
  book.count(1, kStep);
  EXPECT_EQ(shown(book).last_epoch().aggregated().images(), 64) << "not saved yet: not settled";
  EXPECT_EQ(changes(book).size(), 1U);
  book.count(1, kStep);
  EXPECT_TRUE(changes(book).empty()) << "settled: what was added up is on disk";
  EXPECT_FALSE(book.finish(end_of(1)));
  EXPECT_EQ(shown(book).last_epoch().aggregated().images(), 64);
}

TEST(EpochBookTest, ResumingTakesBackWhatLiesBeyondAndAsksForTheRest) {
  EpochBook book = begun();
  book.count(1, kStep);
  book.finish(end_of(1));
  book.count(2, kStep);
  book.finish(end_of(2));
  changes(book);
  const auto history = [](std::int64_t run, std::int64_t epoch, std::int64_t last_step) {
    EXPECT_EQ(run, kRunId);
    EXPECT_EQ(last_step, 15);
    return Totals{.images = 100 * epoch};
  };
  EXPECT_EQ(book.begin(registration(1, 2, 15), true, history), 1);
  EXPECT_EQ(book.in_progress(), 2);
  EXPECT_EQ(book.so_far().images, 200);
  EXPECT_FALSE(shown(book).has_last_epoch()) << "its numbers come again, with the registration";
  const std::vector<EpochRow> rows = changes(book);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].metrics.epoch(), 2);
  EXPECT_FALSE(rows[0].finished);
}

TEST(EpochBookTest, IsTheSameWhenLoaded) {
  EpochBook book = begun();
  book.count(1, kStep);
  book.close({.step = 1, .epoch = 1, .sums = kStep});
  book.finish(end_of(1));
  dist::SavedRun saved;
  saved.run.status = shown(book);
  saved.run.so_far.set_epoch(book.in_progress());
  dist::set_message(*saved.run.so_far.mutable_train(), book.so_far());
  saved.epochs = changes(book);
  EpochBook loaded(kRunId);
  loaded.load(saved);
  EXPECT_EQ(shown(loaded).SerializeAsString(), shown(book).SerializeAsString());
  EXPECT_FALSE(loaded.finish(end_of(1)));
}

TEST(EpochBookTest, CallersCannotMakeItGrow) {
  EpochBook book = begun();
  for (std::int64_t epoch = 1; epoch <= 3000; ++epoch) {
    book.count(epoch, kStep);
    if (epoch % 100 == 0) {
      changes(book);
    }
  }
  EXPECT_TRUE(changes(book).empty());
  for (std::int64_t epoch = 1; epoch <= 3000; ++epoch) {
    book.count(epoch, kStep);
  }
  const std::vector<EpochRow> rows = changes(book);
  EXPECT_LE(std::ranges::count(
                rows, 64, [](const EpochRow& row) { return row.metrics.aggregated().images(); }),
            1000)
      << "these were kept; the others began anew";
}

}  // namespace
}  // namespace convoy::testing
