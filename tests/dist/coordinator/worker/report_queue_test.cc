#include "dist/coordinator/worker/report_queue.h"

#include <gtest/gtest.h>

#include "dist/coordinator/worker/report_records.h"

namespace convoy::dist {
namespace {

StepRecord step(std::int64_t number, int ranks = 2) {
  StepRecord record = {.step = number, .epoch = 1, .learning_rate = 0.5};
  for (int rank = 0; rank < ranks; ++rank) {
    record.ranks.push_back({.images = 10 + rank, .loss_sum = 0.25});
  }
  return record;
}

v1::EpochMetrics epoch(std::int64_t number) {
  v1::EpochMetrics metrics;
  metrics.set_epoch(number);
  return metrics;
}

TEST(ReportQueueTest, DropsTheOldestStepsAndSaysWhich) {
  ReportQueue queue({.steps = 100});
  for (std::int64_t i = 1; i <= 130; ++i) {
    queue.put(step(i));
    if (i % 10 == 0) {
      queue.put(epoch(i / 10));
    }
  }
  const ReportQueue::Batch batch = queue.take();
  EXPECT_EQ(batch.lost.first(), 1);
  EXPECT_EQ(batch.lost.last(), 30);
  ASSERT_EQ(batch.steps.size(), 100U);
  EXPECT_EQ(batch.steps.front().step, 31);
  EXPECT_EQ(batch.events.size(), 13U);  // no epoch is lost
  EXPECT_TRUE(queue.take().empty());
}

TEST(ReportQueueTest, BytesAreBoundedToo) {
  ReportQueue queue({.bytes = 100'000});
  for (std::int64_t i = 1; i <= 100; ++i) {
    queue.put(step(i, 1000));
  }
  const ReportQueue::Batch batch = queue.take();
  EXPECT_EQ(batch.steps.size(), 100'000 / (sizeof(StepRecord) + 1000 * sizeof(StepRecord::Part)));
  EXPECT_EQ(batch.steps.back().step, 100);
}

TEST(ReportQueueTest, KeepsTheNewestNotes) {
  ReportQueue queue({.notes = 3});
  queue.put(epoch(1));
  for (const char* text : {"a", "b", "c", "d"}) {
    v1::Note note;
    note.set_text(text);
    queue.put(note);
  }
  const ReportQueue::Batch batch = queue.take();
  ASSERT_EQ(batch.events.size(), 4U);
  EXPECT_TRUE(std::holds_alternative<v1::EpochMetrics>(batch.events[0].what));
  EXPECT_EQ(std::get<v1::Note>(batch.events[1].what).text(), "b");
}

TEST(ReportRecordsTest, KeepsTheOrderOfStepsAndEpochs) {
  ReportQueue queue({});
  queue.put(step(1));
  queue.put(epoch(1));
  queue.put(step(2));
  queue.put(step(3));
  queue.put(epoch(2));
  queue.put(ReportQueue::RunEnd{.state = v1::RUN_STATE_SUCCEEDED});
  Speaker speaker = {.run = "r", .generation = 3, .next_sequence = 7};
  const std::vector<v1::JournalRecord> records = to_records(queue.take(), speaker);
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[0].progress().steps(0).step(), 1);
  EXPECT_EQ(records[0].progress().sequence(), 7);
  EXPECT_EQ(records[0].progress().generation(), 3);
  EXPECT_EQ(records[0].progress().steps(0).ranks(1).sums().images(), 11);
  EXPECT_FALSE(records[0].progress().steps(0).ranks(1).has_computing());
  EXPECT_EQ(records[1].epoch().epoch().epoch(), 1);
  EXPECT_EQ(records[2].progress().steps_size(), 2);
  EXPECT_EQ(records[3].epoch().sequence(), 10);
  EXPECT_EQ(records[4].end().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(speaker.next_sequence, 12);
}

TEST(ReportRecordsTest, NoMessageIsLargerThanTheProtocolAllows) {
  for (const int ranks : {1, 3, 1000}) {
    ReportQueue queue({});
    for (std::int64_t i = 1; i <= 1200; ++i) {
      StepRecord record = step(i, ranks);
      record.duration = std::chrono::hours(100) + std::chrono::nanoseconds(999'999'999);
      for (StepRecord::Part& part : record.ranks) {
        part = {.images = 1 << 20,
                .correct = 1 << 20,
                .loss_sum = 1.0 / 3,
                .computing = record.duration,
                .waiting = record.duration};
      }
      queue.put(std::move(record));
    }
    for (int i = 0; i < 250; ++i) {
      v1::Note note;
      note.set_text(std::string(1023, 'x') + "ä");
      queue.put(note);
    }
    Speaker speaker = {.run = std::string(63, 'r'), .generation = 1};
    std::int64_t steps = 0;
    for (const v1::JournalRecord& record : to_records(queue.take(), speaker)) {
      const v1::ReportProgressRequest& report = record.progress();
      EXPECT_LE(report.steps_size(), 1000);
      EXPECT_LE(report.notes_size(), 100);
      for (const v1::Note& note : report.notes()) {
        EXPECT_EQ(note.text(), std::string(1023, 'x'));  // not half a character
      }
      v1::ReportProgressRequest without_notes = report;
      without_notes.clear_notes();
      EXPECT_LE(without_notes.ByteSizeLong(), 65'536U * static_cast<unsigned>(ranks));
      EXPECT_LE(report.ByteSizeLong(), 6U << 20);
      steps += report.steps_size();
    }
    EXPECT_EQ(steps, 1200);
  }
}

}  // namespace
}  // namespace convoy::dist
