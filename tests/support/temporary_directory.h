// A directory for a test's files, or a whole file system that is soon full.
#pragma once

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace convoy::testing {

/// Made empty, removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = ::testing::TempDir() + "convoy-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      ADD_FAILURE() << "cannot create a directory like " << pattern;
    }
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A TemporaryDirectory on a file system (tmpfs) of its own. Mounting one needs root; where it is
/// not allowed, `available()` is false.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size)
      : available_(::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0,
                           ("size=" + size).c_str()) == 0) {}
  ~SmallDisk() {
    if (available_) {
      ::umount(directory_.path().c_str());
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool available() const { return available_; }
  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  bool available_;
};

}  // namespace convoy::testing
