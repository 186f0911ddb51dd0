#include "dist/coordinator/worker/outbox.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dist/coordinator/worker/report_records.h"
#include "tests/support/temporary_directory.h"

namespace convoy::dist {
namespace {

v1::RegisterRunRequest registration(std::int64_t generation) {
  v1::RegisterRunRequest request;
  request.set_run("run");
  request.set_generation(generation);
  request.set_attempt(fmt::format("attempt {}", generation));
  return request;
}

class OutboxTest : public ::testing::Test {
 protected:
  // So many messages of ten steps each.
  static std::vector<v1::JournalRecord> progress(Speaker& speaker, int messages) {
    std::vector<v1::JournalRecord> records;
    for (int i = 0; i < messages; ++i) {
      ReportQueue queue({});
      for (std::int64_t step = 1; step <= 10; ++step) {
        queue.put(StepRecord{.step = 10 * speaker.next_sequence - 10 + step, .epoch = 1});
      }
      records.push_back(to_records(queue.take(), speaker).at(0));
    }
    return records;
  }
  static std::vector<v1::JournalRecord> epoch(Speaker& speaker) {
    ReportQueue queue({});
    queue.put(v1::EpochMetrics());
    return to_records(queue.take(), speaker);
  }
  std::uintmax_t journal_bytes() const { return std::filesystem::file_size(path_); }

  testing::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "reports.journal";
  Speaker speaker_ = {.run = "run", .generation = 1};
};

TEST_F(OutboxTest, AnotherProcessTakesUpWhatIsNotAcknowledged) {
  {
    Outbox outbox(path_, {});
    outbox.add_registration(registration(1));
    EXPECT_EQ(outbox.add(progress(speaker_, 3)), "");
    EXPECT_EQ(outbox.add(epoch(speaker_)), "");
    outbox.acknowledge(1, 2);
  }
  Outbox outbox(path_, {});
  // Those that are acknowledged stay in the file until all are.
  EXPECT_EQ(outbox.sequence(), 1);
  EXPECT_EQ(outbox.registration(1).attempt(), "attempt 1");
  EXPECT_EQ(outbox.size(), 4U);
  EXPECT_EQ(outbox.steps(), 30);
  outbox.add_registration(registration(2));
  Speaker next = {.run = "run", .generation = 2};
  outbox.add(progress(next, 1));
  EXPECT_EQ(outbox.first().size(), 3U);  // what can go in one stream
  outbox.acknowledge(2, 100);            // another generation's
  EXPECT_EQ(outbox.generation(), 1);
  outbox.acknowledge(1, 3);
  EXPECT_TRUE(outbox.first().at(0).has_epoch());
  outbox.acknowledge(1, 4);
  EXPECT_EQ(outbox.generation(), 2);
  EXPECT_GT(journal_bytes(), 0U);
  outbox.acknowledge(2, 1);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(journal_bytes(), 0U);
  outbox.add(progress(next, 1));
  EXPECT_EQ(Outbox(path_, {}).registration(2).attempt(), "attempt 2");
}

TEST_F(OutboxTest, DropsTheOldestStepsAndTellsThatTheyAreLost) {
  Outbox outbox(path_, {.steps = 35});
  outbox.add_registration(registration(1));
  outbox.add(progress(speaker_, 2));
  outbox.add(epoch(speaker_));
  outbox.add(progress(speaker_, 3));
  EXPECT_EQ(outbox.steps(), 30);
  EXPECT_EQ(outbox.size(), 6U);  // the sequence has no gap
  const v1::ReportProgressRequest first = outbox.first().at(0).progress();
  EXPECT_EQ(first.sequence(), 1);
  EXPECT_EQ(first.steps_size(), 0);
  ASSERT_EQ(first.lost_size(), 1);
  EXPECT_EQ(first.lost(0).first(), 1);
  EXPECT_EQ(first.lost(0).last(), 10);
  outbox.acknowledge(1, 2);
  EXPECT_TRUE(outbox.first().at(0).has_epoch());
  outbox.acknowledge(1, 3);
  EXPECT_EQ(outbox.first().at(0).progress().steps_size(), 10);
}

TEST_F(OutboxTest, TheJournalIsBoundedLikeTheMemory) {
  Outbox outbox(path_, {.steps = 5000});
  outbox.add_registration(registration(1));
  for (int i = 0; i < 300; ++i) {
    outbox.add(progress(speaker_, 100));
  }
  EXPECT_EQ(outbox.steps(), 5000);
  EXPECT_LT(journal_bytes(), 5U << 20);
  const Outbox again(path_, {.steps = 5000});
  EXPECT_EQ(again.steps(), 5000);
  EXPECT_EQ(again.size(), 30'000U);
}

TEST_F(OutboxTest, WhatTheCoordinatorWillNeverTakeLosesItsContentOnce) {
  Outbox outbox(path_, {});
  outbox.add_registration(registration(1));
  outbox.add(progress(speaker_, 1));
  EXPECT_TRUE(outbox.drop_content_of_first());
  EXPECT_EQ(outbox.first().at(0).progress().lost(0).last(), 10);
  EXPECT_FALSE(outbox.drop_content_of_first());
}

TEST_F(OutboxTest, WithoutAJournalReportsAreKeptInMemory) {
  Outbox outbox(directory_.path() / "nowhere" / "reports.journal", {});
  outbox.add_registration(registration(1));
  EXPECT_NE(outbox.add(progress(speaker_, 2)), "");
  EXPECT_EQ(outbox.first().size(), 2U);
  outbox.acknowledge(1, 2);
  EXPECT_TRUE(outbox.empty());
}

}  // namespace
}  // namespace convoy::dist
