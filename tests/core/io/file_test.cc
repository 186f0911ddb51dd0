#include "core/io/file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "core/base/check.h"
#include "core/io/hash64.h"
#include "core/io/sha256.h"
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

TEST(FileTest, PiecesAreTheFile) {
  const testing::TemporaryDirectory directory;
  std::string text(300'001, 'x');
  text[200'000] = 'y';
  for (const std::string& content : {text, std::string()}) {
    const fs::path path = directory.path() / "file";
    write_file_atomically(path, as_bytes(content));
    std::string read;
    std::size_t largest = 0;
    read_pieces(path, [&](std::span<const std::byte> piece) {
      read.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      largest = std::max(largest, piece.size());
    });
    EXPECT_EQ(read, content);
    EXPECT_LE(largest, 65536U);
    EXPECT_EQ(hash64_of_file(path), hash64(as_bytes(content)));
    EXPECT_EQ(sha256_hex_of_file(path), sha256_hex(as_bytes(content)));
  }
}

TEST(FileTest, FileThatShrinksWhileItIsReadIsRefused) {
  const testing::TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file_atomically(path, std::vector<std::byte>(200'000));
  expect_error([&] { read_pieces(path, [&](const auto&) { fs::resize_file(path, 100'000); }); },
               "it shrank to 100000 of 200000 bytes");
}

TEST(FileTest, ContentThatCannotBeMadeLeavesTheOldFile) {
  const testing::TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file_atomically(path, as_bytes("old"));
  const FileContent broken = {.bytes = 6, .give = [](const ByteSink& sink) {
                                sink(as_bytes("new"));
                                fail("broken off");
                              }};
  expect_error([&] { write_file_atomically(path, broken); }, "broken off");
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(entries(directory.path()), 1U);
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
