#include "launcher/tensorboard/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>

#include "core/base/check.h"
#include "core/io/file.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;
using v1::tensorboard::Event;

std::chrono::system_clock::time_point at(std::int64_t seconds) {
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}

Event step_event(std::int64_t step) {
  Event event;
  event.set_step(step);
  return event;
}

// The events of a file as far as its records are whole, whose checksums are not looked at:
// tensorboard_test.py is the independent reader.
std::vector<Event> read_events(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = io::read_file(path);
  std::vector<Event> events;
  std::size_t at = 0;
  std::uint64_t length = 0;
  while (at + 12 <= bytes.size()) {
    std::memcpy(&length, &bytes[at], 8);
    if (at + 16 + length > bytes.size()) {
      break;
    }
    events.emplace_back();
    EXPECT_TRUE(events.back().ParseFromArray(&bytes[at + 12], static_cast<int>(length)));
    at += 16 + length;
  }
  EXPECT_EQ(at, bytes.size()) << "a torn record at the end";
  return events;
}

TEST(EventFileTest, BeginsWithTheVersionAndKeepsOrder) {
  const testing::TemporaryDirectory dir;
  EventFile file(dir.path());
  file.add(step_event(7));
  file.add(step_event(5));
  EXPECT_EQ(file.flush(), "");
  const std::vector<Event> events = read_events(file.path());
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_GT(events[0].wall_time(), 1.7e9);
  EXPECT_EQ(events[1].step(), 7);
  EXPECT_EQ(events[2].step(), 5);
}

// The record that every writer begins with, but for the time: its length's checksum is known.
TEST(EventFileTest, ARecordIsFramedAsTensorBoardWantsIt) {
  const testing::TemporaryDirectory dir;
  EventFile file(dir.path());
  EXPECT_EQ(file.flush(), "");
  const std::vector<std::byte> bytes = io::read_file(file.path());
  ASSERT_EQ(bytes.size(), 8U + 4U + 24U + 4U);
  const std::vector<std::byte> begin(bytes.begin(), bytes.begin() + 12);
  const unsigned char expected[] = {24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22};
  EXPECT_EQ(std::memcmp(begin.data(), expected, sizeof expected), 0);
}

TEST(EventFileTest, LaterFilesHaveLaterNamesEvenIfTheClockIsSetBack) {
  const testing::TemporaryDirectory dir;
  const EventFile first(dir.path(), at(2'000'000'000));
  const EventFile same_second(dir.path(), at(2'000'000'000));
  const EventFile clock_set_back(dir.path(), at(1'000'000'000));
  EXPECT_THAT(first.path().filename().string(), HasSubstr("events.out.tfevents.2000000000."));
  EXPECT_LT(first.path(), same_second.path());
  EXPECT_LT(same_second.path(), clock_set_back.path());
}

TEST(EventFileTest, ADirectoryThatIsNotThereIsRefused) {
  const testing::TemporaryDirectory dir;
  EXPECT_THROW(EventFile(dir.path() / "none"), Error);
}

// A limit on the size of files stands for a full disk.
TEST(EventFileTest, WithoutRoomTheFileEndsWithAWholeRecordAndThatIsSaidOnce) {
  const testing::TemporaryDirectory dir;
  EventFile file(dir.path());
  file.add(step_event(1));
  ASSERT_EQ(file.flush(), "");
  const auto whole = std::filesystem::file_size(file.path());

  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit narrow{.rlim_cur = whole + 20, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &narrow), 0);
  file.add(step_event(2));
  const std::string reason = file.flush();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);

  EXPECT_THAT(reason, HasSubstr("File too large"));
  file.add(step_event(3));
  EXPECT_EQ(file.flush(), "");
  EXPECT_EQ(std::filesystem::file_size(file.path()), whole);
  EXPECT_EQ(read_events(file.path()).back().step(), 1);
}

}  // namespace
}  // namespace convoy::launcher
