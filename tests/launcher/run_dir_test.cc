#include "launcher/run_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/io/file.h"
#include "launcher/json.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// No file may grow beyond `bytes` while this lives: what a full disk does to a writer.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  sighandler_t handler_;
  rlimit before_{};
};

// Permissions mean nothing to root, so root is somebody else while this lives.
class OrdinaryUser {
 public:
  OrdinaryUser() : was_root_(geteuid() == 0 && seteuid(65534) == 0) {}
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  ~OrdinaryUser() {
    if (was_root_ && seteuid(0) != 0) {
      std::abort();
    }
  }

 private:
  bool was_root_;
};

class RunDirTest : public ::testing::Test {
 protected:
  RunDir make_default(const std::string& model = "tutorial") {
    return RunDir({.root = root(), .model = model, .now = now_});
  }
  RunDir make_named(const fs::path& path, bool resume = false) {
    return RunDir({.path = path, .resume = resume});
  }
  fs::path root() const { return directory_.path() / "runs"; }
  std::set<std::string> names(const fs::path& path) const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  testing::TemporaryDirectory directory_;
  std::chrono::system_clock::time_point now_ = std::chrono::system_clock::now();
};

TEST_F(RunDirTest, DefaultNameIsTimeModelAndNumber) {
  const RunDir run = make_default();
  EXPECT_THAT(run.path().filename().string(), MatchesRegex("[0-9]{8}-[0-9]{6}-tutorial-1"));
  EXPECT_EQ(names(run.path()), (std::set<std::string>{"checkpoints", "final", "plots"}));
  EXPECT_EQ(run.final_model(), run.path() / "final" / "model.safetensors");
  EXPECT_EQ(run.warning(), "");
}

TEST_F(RunDirTest, ModelFileGivesItsStemInPlainLetters) {
  EXPECT_THAT(make_default("some/where/my net é.textproto").path().filename().string(),
              MatchesRegex("[0-9-]+-my-net----1"));
  EXPECT_THAT(make_default("/").path().filename().string(), MatchesRegex("[0-9-]+-model-1"));
}

TEST_F(RunDirTest, RunsOfOneSecondAreNumbered) {
  const fs::path first = make_default().path();
  const fs::path second = make_default().path();
  EXPECT_THAT(second.string(), ::testing::EndsWith("-tutorial-2"));
  EXPECT_NE(first, second);
}

TEST_F(RunDirTest, ProcessesThatStartAtOnceGetDirectoriesOfTheirOwn) {
  constexpr int kProcesses = 8;
  constexpr int kRuns = 5;
  for (int i = 0; i < kProcesses; ++i) {
    if (fork() == 0) {
      try {
        for (int j = 0; j < kRuns; ++j) {
          make_default();
        }
        _exit(0);
      } catch (...) {
        _exit(1);
      }
    }
  }
  for (int i = 0; i < kProcesses; ++i) {
    int status = -1;
    ASSERT_GT(wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(names(root()).size(), kProcesses * kRuns + 1U);  // and latest
  EXPECT_TRUE(fs::is_directory(root() / "latest"));
}

TEST_F(RunDirTest, LatestPointsToTheLastRun) {
  make_default();
  const RunDir second = make_default();
  EXPECT_EQ(fs::read_symlink(root() / "latest"), second.path().filename());
  EXPECT_EQ(names(root()).size(), 3U);
}

TEST_F(RunDirTest, LatestThatCannotBeSetIsOnlyAWarning) {
  fs::create_directories(root() / "latest" / "something");
  const RunDir run = make_default();
  EXPECT_THAT(run.warning(), HasSubstr("latest to this run: Is a directory"));
  EXPECT_EQ(names(root()).size(), 2U);
}

TEST_F(RunDirTest, NamedDirectoryIsMadeWithItsParents) {
  const fs::path path = directory_.path() / "a" / "b";
  EXPECT_EQ(make_named(path / "").path(), path);
  EXPECT_TRUE(fs::is_directory(path / "checkpoints"));
  EXPECT_FALSE(fs::exists(directory_.path() / "a" / "latest"));
}

TEST_F(RunDirTest, EmptyDirectoryIsTaken) {
  EXPECT_EQ(make_named(directory_.path()).path(), directory_.path());
}

TEST_F(RunDirTest, DirectoryOfARunThatNeverBeganIsTakenAgain) {
  const fs::path path = directory_.path() / "run";
  make_named(path);
  make_named(path);
}

TEST_F(RunDirTest, DirectoryOfSomethingElseIsRefusedAndUntouched) {
  std::ofstream(directory_.path() / "thesis.tex") << "words";
  EXPECT_THAT(error_of([&] { make_named(directory_.path()); }),
              HasSubstr("is neither empty nor a run directory"));
  EXPECT_EQ(names(directory_.path()), (std::set<std::string>{"thesis.tex"}));
  testing::TemporaryDirectory other;
  fs::create_directories(other.path() / "plots" / "mine");
  EXPECT_THAT(error_of([&] { make_named(other.path()); }), HasSubstr("neither empty nor"));
}

TEST_F(RunDirTest, DirectoryOfARunIsTakenOnlyToResume) {
  const fs::path path = directory_.path() / "run";
  io::write_file_atomically(make_named(path).config_file(), io::as_bytes("{}"));
  EXPECT_TRUE(is_run_dir(path));
  EXPECT_THAT(error_of([&] { make_named(path); }), HasSubstr("already holds a run"));
  EXPECT_EQ(make_named(path, /*resume=*/true).path(), path);
}

TEST_F(RunDirTest, RunThatIsBeingWrittenCannotBeLocked) {
  const fs::path path = directory_.path() / "run";
  {
    const RunDir run = make_named(path);
    EXPECT_THAT(error_of([&] { lock_run(path); }), HasSubstr("another process is writing the run"));
  }
  const FileDescriptor lock = lock_run(path);
  EXPECT_TRUE(lock);
  EXPECT_THAT(error_of([&] { make_named(path); }), HasSubstr("another process"));
}

TEST_F(RunDirTest, ResumingWithoutARunIsRefused) {
  const fs::path path = directory_.path() / "run";
  EXPECT_THAT(error_of([&] { make_named(path, true); }), HasSubstr("holds no run to go on with"));
  EXPECT_FALSE(fs::exists(path));
  EXPECT_THAT(error_of([&] { make_named(directory_.path(), true); }), HasSubstr("no config.json"));
}

TEST_F(RunDirTest, FileInPlaceOfTheDirectoryIsRefused) {
  const fs::path path = directory_.path() / "file";
  std::ofstream(path) << "words";
  EXPECT_THAT(error_of([&] { make_named(path); }), HasSubstr("is a file"));
  EXPECT_THAT(error_of([&] { make_named(path / "run"); }), HasSubstr("Not a directory"));
}

TEST_F(RunDirTest, DirectoryThatMayNotBeWrittenIsRefused) {
  ASSERT_EQ(chmod(directory_.path().c_str(), 0555), 0);
  const OrdinaryUser user;
  EXPECT_THAT(error_of([&] { make_named(directory_.path()); }),
              HasSubstr("cannot be written to: Permission denied"));
  EXPECT_THAT(error_of([&] { make_named(directory_.path() / "run"); }),
              HasSubstr("Permission denied"));
  EXPECT_THAT(error_of([&] { make_default(); }), HasSubstr("Permission denied"));
}

TEST_F(RunDirTest, DiskWithoutRoomIsRefusedBeforeTraining) {
  const fs::path path = directory_.path() / "run";
  const FullDisk disk(1'000'000);
  EXPECT_THAT(error_of([&] { RunDir({.path = path, .needed_bytes = 5'000'000}); }),
              HasSubstr("no room for the 5.0 MB that the run needs"));
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(RunDir({.path = path, .needed_bytes = 500'000}).path(), path);
}

TEST_F(RunDirTest, MetricsAreALinePerEpoch) {
  const RunDir run = make_default();
  run.append({.epoch = 1, .train_loss = 0.5});
  run.append({.epoch = 2, .train_loss = 0.25});
  EXPECT_EQ(text_of(run.metrics_file()),
            to_json(EpochMetrics{.epoch = 1, .train_loss = 0.5}).dump() + "\n" +
                to_json(EpochMetrics{.epoch = 2, .train_loss = 0.25}).dump() + "\n");
}

TEST_F(RunDirTest, MetricsAreCutOffByWritingTheRestAnew) {
  const RunDir run = make_default();
  const std::vector<EpochMetrics> epochs = {{.epoch = 1, .test_loss = 0.5}, {.epoch = 2}};
  run.append(epochs[0]);
  const std::string one = text_of(run.metrics_file());
  run.append(epochs[1]);
  std::ofstream(run.metrics_file(), std::ios::app) << "{\"epoch\": 3, \"tra";  // a kill -9
  run.rewrite(std::span(epochs).first(1));
  EXPECT_EQ(text_of(run.metrics_file()), one);
  run.rewrite({});
  EXPECT_EQ(text_of(run.metrics_file()), "");
}

TEST_F(RunDirTest, MetricsThatDoNotFitLeaveNoHalfLine) {
  const RunDir run = make_default();
  run.append({.epoch = 1});
  const std::string before = text_of(run.metrics_file());
  {
    const FullDisk disk(before.size() + 10);
    EXPECT_THAT(error_of([&] { run.append({.epoch = 2}); }),
                HasSubstr("metrics.jsonl: File too large"));
  }
  EXPECT_EQ(text_of(run.metrics_file()), before);
  run.append({.epoch = 2});
  EXPECT_EQ(read_metrics(run.metrics_file()).size(), 2U);
}

}  // namespace
}  // namespace convoy::launcher
