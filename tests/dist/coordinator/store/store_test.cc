#include "dist/coordinator/store/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "dist/coordinator/book/run_book.h"
#include "tests/dist/coordinator/book/requests.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::testing {
namespace {

using dist::Store;

class StoreTest : public ::testing::Test {
 protected:
  // A book over the file, as a coordinator that has just begun.
  void open() {
    store_ = std::make_unique<Store>(Store::Options{.database = file_});
    book_ = std::make_unique<dist::RunBook>(limits_, store_->load());
  }
  void save() { store_->save(book_->take_changes(now_)); }
  void reopen() {
    save();
    book_.reset();
    store_.reset();
    open();
  }
  void tell(const v1::RegisterRunRequest& request) {
    save();
    book_->register_run(request, now_,
                        [this](std::int64_t run, std::int64_t epoch, std::int64_t last) {
                          return store_->totals(run, epoch, last);
                        });
  }
  // Tells the steps of one epoch, two ranks each.
  void tell_steps(std::int64_t first, std::int64_t last) {
    for (std::int64_t step = first; step <= last; ++step) {
      book_->report_progress(report(++sequence_, step_of(step, {0, 1})), now_);
    }
  }
  std::vector<v1::StepMetrics> steps(v1::ListStepsRequest request) {
    request.set_run("night-run");
    std::vector<v1::StepMetrics> all;
    do {
      const v1::ListStepsResponse response =
          store_->list_steps(request, book_->run_id("night-run"));
      all.insert(all.end(), response.steps().begin(), response.steps().end());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return all;
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "coordinator.db";
  dist::CoordinatorLimits limits_ = {};
  dist::Time now_ = dist::from_epoch(std::chrono::hours(24 * 365 * 56));
  std::int64_t sequence_ = 0;
  std::unique_ptr<Store> store_;
  std::unique_ptr<dist::RunBook> book_;
};

TEST_F(StoreTest, BookIsTheSameAfterReloading) {
  open();
  tell(registration(2));
  tell_steps(1, 10);
  book_->finish_epoch(finished_epoch(++sequence_, 1, 2), now_);
  tell_steps(11, 14);
  v1::ReportProgressRequest lost = report(++sequence_);
  lost.add_lost()->set_first(15);
  lost.mutable_lost(0)->set_last(16);
  book_->report_progress(lost, now_);
  book_->report_progress(report(++sequence_, step_of(17, {0})), now_);
  book_->heartbeat(heartbeat(), now_);
  const v1::Run before = book_->get_run(get_run(), now_);
  v1::ListRanksRequest ranks;
  ranks.set_run("night-run");
  const v1::ListRanksResponse ranks_before = book_->list_ranks(ranks, now_);
  reopen();
  EXPECT_EQ(before.step(), 16);
  EXPECT_EQ(before.lost_steps(), 2);
  EXPECT_EQ(book_->get_run(get_run(), now_).DebugString(), before.DebugString());
  EXPECT_EQ(book_->list_ranks(ranks, now_).DebugString(), ranks_before.DebugString());
  EXPECT_EQ(book_->heartbeat(heartbeat(), now_).acknowledged_sequence(), sequence_);
}

TEST_F(StoreTest, StepThatSomeRanksHaveReportedGoesOnAfterReloading) {
  open();
  tell(registration(2));
  book_->report_progress(report(1, step_of(1, {0})), now_);
  reopen();
  book_->report_progress(report(1, step_of(1, {0, 1}), 1), now_);
  dist::Totals both = part_of(1, 0);
  both += part_of(1, 1);
  EXPECT_EQ(dist::from_message(book_->get_run(get_run(), now_).epoch_so_far()), both);
  for (std::int64_t step = 2; step <= kEpochSteps; ++step) {
    book_->report_progress(report(step, step_of(step, {0, 1})), now_);
    reopen();
  }
  book_->finish_epoch(finished_epoch(11, 1, 2), now_);
  reopen();
  const v1::EpochMetrics epoch = book_->get_run(get_run(), now_).last_epoch();
  EXPECT_EQ(dist::from_message(epoch.aggregated()), epoch_of_ranks(1, 2));
  v1::ListEpochsRequest list;
  const v1::ListEpochsResponse epochs = store_->list_epochs(list, book_->run_id("night-run"));
  ASSERT_EQ(epochs.epochs_size(), 1);
  EXPECT_EQ(epochs.epochs(0).DebugString(), epoch.DebugString());
}

TEST_F(StoreTest, NewGenerationAddsUpWhatIsOnDisk) {
  open();
  tell(registration(2));
  tell_steps(1, 17);
  reopen();
  tell(registration(1, 2, 14));
  save();
  EXPECT_EQ(steps({}).size(), 14U);
  dist::Totals truth;
  for (std::int64_t step = 11; step <= 14; ++step) {
    truth += part_of(step, 0);
    truth += part_of(step, 1);
  }
  EXPECT_EQ(dist::from_message(book_->get_run(get_run(), now_).epoch_so_far()), truth);
  reopen();
  EXPECT_EQ(book_->get_run(get_run(), now_).spec().world_size(), 1);
  sequence_ = 0;
  for (std::int64_t step = 15; step <= 20; ++step) {
    book_->report_progress(report(++sequence_, step_of(step, {0}), 0, 2), now_);
    truth += part_of(step, 0);
    reopen();
  }
  book_->finish_epoch(finished_epoch(++sequence_, 2, 1, 2), now_);
  EXPECT_EQ(dist::from_message(book_->get_run(get_run(), now_).last_epoch().aggregated()), truth);
}

TEST_F(StoreTest, StepsComeInPagesAndJoined) {
  open();
  tell(registration(2));
  tell_steps(1, 30);
  save();
  v1::ListStepsRequest request;
  request.set_page_size(7);
  const std::vector<v1::StepMetrics> all = steps(request);
  ASSERT_EQ(all.size(), 30U);
  EXPECT_EQ(all[29].step(), 30);
  EXPECT_EQ(all[0].ranks(), 2);

  request.set_max_points(10);
  const std::vector<v1::StepMetrics> joined = steps(request);
  ASSERT_EQ(joined.size(), 10U);
  dist::Totals sums;
  for (const v1::StepMetrics& step : joined) {
    sums += dist::from_message(step.sums());
    EXPECT_EQ(dist::from_message(step.duration()), std::chrono::milliseconds(300));
  }
  EXPECT_EQ(joined[9].step(), 30);
  EXPECT_EQ(joined[9].epoch(), 3);
  dist::Totals truth;
  for (std::int64_t epoch = 1; epoch <= 3; ++epoch) {
    truth += epoch_of_ranks(epoch, 2);
  }
  EXPECT_EQ(sums, truth);

  v1::ListStepsRequest late;
  late.set_after_step(28);
  EXPECT_EQ(steps(late).size(), 2U);
  late.set_max_points(-1);
  expect_refusal(dist::Refusal::Kind::kInvalidArgument, "max_points is -1", [&] { steps(late); });
}

TEST_F(StoreTest, EventsComeNewestFirst) {
  open();
  tell(registration(2));
  v1::RegisterRunRequest other = registration(1);
  other.set_run("other-run");
  tell(other);
  v1::StopRunRequest stop;
  stop.set_run("night-run");
  book_->stop_run(stop, now_);
  save();
  v1::ListEventsRequest request;
  EXPECT_EQ(store_->list_events(request).events_size(), 3);
  request.set_run("night-run");
  request.set_page_size(1);
  v1::ListEventsResponse page = store_->list_events(request);
  EXPECT_EQ(page.events(0).text(), "asked to stop");
  request.set_page_token(page.next_page_token());
  page = store_->list_events(request);
  EXPECT_EQ(page.events(0).sequence(), 1);
  EXPECT_EQ(page.next_page_token(), "");
  reopen();
  book_->heartbeat(heartbeat(), now_ + std::chrono::hours(1));
}

TEST_F(StoreTest, WhatIsBeyondTheLimitsIsForgotten) {
  limits_ = {.runs = 1, .steps_per_run = 5, .events = 3};
  open();
  tell(registration(2));
  tell_steps(1, 12);
  save();
  const std::vector<v1::StepMetrics> left = steps({});
  ASSERT_EQ(left.size(), 5U);
  EXPECT_EQ(left[0].step(), 8);
  for (int i = 0; i < 6; ++i) {
    v1::ReportProgressRequest note = report(++sequence_);
    note.add_notes()->set_text("note");
    book_->report_progress(note, now_);
  }
  save();
  EXPECT_EQ(store_->list_events({}).events_size(), 3);
  book_->finish_run(finished_run(++sequence_, v1::RUN_STATE_SUCCEEDED), now_);
  v1::RegisterRunRequest other = registration(1);
  other.set_run("other-run");
  tell(other);
  reopen();
  EXPECT_EQ(book_->list_runs({}, now_).runs_size(), 1);
  v1::ListEventsRequest events;
  events.set_run("night-run");
  EXPECT_EQ(store_->list_events(events).events_size(), 0);
}

TEST_F(StoreTest, SecondOpenerIsRefusedAndReaderIsNot) {
  open();
  tell(registration(2));
  save();
  expect_error([&] { Store({.database = file_}); }, file_.string(),
               "is held by another coordinator", std::to_string(::getpid()));
  Store reader({.database = file_, .read_only = true});
  EXPECT_EQ(reader.load().runs.size(), 1U);
}

TEST_F(StoreTest, FileIsItsOwnersAlone) {
  open();
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat status = {};
    const std::string name = file_.string() + suffix;
    ASSERT_EQ(::stat(name.c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600) << name;
  }
}

TEST_F(StoreTest, DamagedFileIsNamed) {
  open();
  tell(registration(2));
  tell_steps(1, 30);
  save();
  book_.reset();
  store_.reset();
  const auto size = std::filesystem::file_size(file_);
  {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    std::mt19937 random(1);
    for (std::uintmax_t at = 4096; at + 1 < size; at += 7) {
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(random()));
    }
  }
  expect_error([&] { open(); }, file_.string(), "damaged");
}

TEST_F(StoreTest, TruncatedFileIsNamed) {
  open();
  tell(registration(2));
  save();
  book_.reset();
  store_.reset();
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 2);
  expect_error([&] { open(); }, file_.string(), "malformed");
}

TEST_F(StoreTest, OtherFilesAreRefusedAndLeftAlone) {
  std::ofstream(file_) << "Dear diary, this is no database, but it is longer than a header: "
                       << std::string(1000, '.');
  expect_error([&] { open(); }, file_.string(), "not a database", "another file");
  std::filesystem::remove(file_);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  sqlite3_exec(other, "CREATE TABLE songs(title)", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  expect_error([&] { open(); }, file_.string(), "not a coordinator's");
}

TEST_F(StoreTest, NewerFormatIsRefused) {
  open();
  store_.reset();
  sqlite3* newer = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &newer), SQLITE_OK);
  sqlite3_exec(newer, "PRAGMA user_version = 7", nullptr, nullptr, nullptr);
  sqlite3_close(newer);
  expect_error([&] { open(); }, file_.string(), "newer convoy", "7");
}

TEST_F(StoreTest, MissingDirectoryAndMissingFileAreNamed) {
  expect_error([&] { Store({.database = directory_.path() / "no" / "such.db"}); }, "such.db");
  expect_error([&] { Store({.database = file_, .read_only = true}); }, "there is no",
               "coordinator.db");
}

TEST_F(StoreTest, FullDiskChangesNothingAndIsSaid) {
  const SmallDisk disk("300k");
  if (!disk.available()) {
    GTEST_SKIP() << "mounting needs root";
  }
  file_ = disk.path() / "coordinator.db";
  open();
  tell(registration(2));
  save();
  dist::Changes changes;
  for (std::int64_t step = 1; step <= 20'000; ++step) {
    changes.steps.push_back({.run_id = 1, .step = step});
  }
  expect_error([&] { store_->save(changes); }, file_.string(), "full", "Free space");
  EXPECT_EQ(steps({}).size(), 0U);
  tell_steps(1, 1);
  save();
  EXPECT_EQ(steps({}).size(), 1U);
  store_.reset();  // before its disk
}

}  // namespace
}  // namespace convoy::testing
