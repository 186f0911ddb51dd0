#include "core/io/file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;

std::string text_of(const fs::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST(FileTest, AtomicWriteCreatesAndReplaces) {
  const testing::TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file_atomically(path, as_bytes("one"));
  EXPECT_EQ(text_of(path), "one");
  write_file_atomically(path, as_bytes(""));
  EXPECT_EQ(text_of(path), "");
  EXPECT_EQ(entries(directory.path()), 1U) << "temporary files are left behind";
}

TEST(FileTest, NewFileHasTheUsersPermissions) {
  const testing::TemporaryDirectory directory;
  const mode_t before = ::umask(027);
  write_file_atomically(directory.path() / "file", as_bytes("text"));
  ::umask(before);
  EXPECT_EQ(fs::status(directory.path() / "file").permissions(), fs::perms{0640});
}

TEST(FileTest, NewFileDoesNotReplaceAnother) {
  const testing::TemporaryDirectory directory;
  write_new_file(directory.path() / "file", as_bytes("one"));
  expect_error([&] { write_new_file(directory.path() / "file", as_bytes("two")); }, "File exists");
  EXPECT_EQ(text_of(directory.path() / "file"), "one");
}

TEST(FileTest, WhatCannotBeReadIsRefusedByName) {
  const testing::TemporaryDirectory directory;
  expect_error([&] { read_file(directory.path() / "none"); }, "cannot read '", "/none'",
               "No such file");
  expect_error([&] { read_file(directory.path()); }, "it is a directory");
  const fs::path pipe = directory.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_error([&] { read_file(pipe); }, "not a regular file");
}

TEST(FileTest, WritingIntoADirectoryThatIsNotThereIsRefused) {
  const testing::TemporaryDirectory directory;
  expect_error([&] { write_file_atomically(directory.path() / "no" / "file", as_bytes("text")); },
               "cannot write 4 bytes to", "/no/file'", "No such file");
}

TEST(FileTest, TargetThatIsADirectoryIsRefusedAndNothingIsLeft) {
  const testing::TemporaryDirectory directory;
  fs::create_directory(directory.path() / "file");
  expect_error([&] { write_file_atomically(directory.path() / "file", as_bytes("text")); },
               "Is a directory");
  EXPECT_EQ(entries(directory.path()), 1U);
}

TEST(FileTest, UnwritableDirectoryIsRefused) {
  const testing::TemporaryDirectory directory;
  fs::permissions(directory.path(), fs::perms{0555});
  // Root may write everywhere, so be somebody else for a moment.
  const bool root = ::geteuid() == 0;
  ASSERT_TRUE(!root || ::seteuid(65534) == 0);
  const std::string text = testing::error_of(
      [&] { write_file_atomically(directory.path() / "file", as_bytes("text")); });
  ASSERT_TRUE(!root || ::seteuid(0) == 0);
  EXPECT_NE(text.find("Permission denied. Check the permissions"), std::string::npos) << text;
}

// A limit on file size stops the write half-way on any file system.
TEST(FileTest, WriteThatFailsHalfWayLeavesTheOldFile) {
  const testing::TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file_atomically(path, as_bytes("old"));
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string text =
      testing::error_of([&] { write_file_atomically(path, std::vector<std::byte>(10000)); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(text.find("cannot write 10000 bytes to"), std::string::npos) << text;
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(entries(directory.path()), 1U);
}

TEST(FileTest, FullDiskLeavesTheOldFile) {
  const testing::SmallDisk disk("64k");
  if (!disk.available()) {
    GTEST_SKIP() << "mounting a small file system is not allowed here";
  }
  const fs::path path = disk.path() / "file";
  write_file_atomically(path, as_bytes("old"));
  const std::string text =
      testing::error_of([&] { write_file_atomically(path, std::vector<std::byte>(1 << 20)); });
  EXPECT_NE(text.find("No space left on device. Free space there"), std::string::npos) << text;
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(entries(disk.path()), 1U);
}

}  // namespace
}  // namespace convoy::io
