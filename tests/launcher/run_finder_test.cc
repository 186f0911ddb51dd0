#include "launcher/run_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/base/check.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Runs in a folder of their own; processes with even numbers are there.
class RunFinderTest : public ::testing::Test {
 protected:
  // With a coordinator.json, unless `pid` is 0, and a database; older than those made before.
  fs::path make_run(const std::string& name, int pid) {
    const fs::path directory = dir_.path() / "data" / name;
    fs::create_directories(directory);
    if (pid != 0) {
      write(directory / "coordinator.json",
            R"({"address": "127.0.0.1:4567", "token": "secret", "pid": )" + std::to_string(pid) +
                R"(, "run": ")" + name + R"(", "page": "http://127.0.0.1:1"})");
    }
    write(directory / "coordinator.db", "");
    fs::create_directories(dir_.path() / "links");
    fs::create_directory_symlink(directory, dir_.path() / "links" / name);
    return directory;
  }

  void write(const fs::path& file, const std::string& text) {
    std::ofstream(file) << text;
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    time_ -= std::chrono::seconds(10);
    fs::last_write_time(file, time_);
  }

  RunFinder finder() const {
    return RunFinder({.links = dir_.path() / "links",
                      .runs = dir_.path() / "runs",
                      .is_running = [](std::int64_t pid) { return pid % 2 == 0; }});
  }

  std::string refusal(const std::string& run) const {
    try {
      finder().find(run);
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  convoy::testing::TemporaryDirectory dir_;
  fs::file_time_type time_ = fs::file_time_type::clock::now();
};

TEST_F(RunFinderTest, RunningOneComesBeforeAnEndedOneThatIsNewer) {
  make_run("ended", 1);
  make_run("newer", 2);
  make_run("older", 2);
  make_run("first", 3);
  std::vector<std::string> names;
  for (const FoundRun& run : finder().all()) {
    names.push_back(run.run);
  }
  EXPECT_THAT(names, ::testing::ElementsAre("newer", "older", "ended", "first"));
  EXPECT_EQ(finder().find("").run, "newer");
}

TEST_F(RunFinderTest, AddressTokenAndPageAreRead) {
  const FoundRun run = finder().find((make_run("a", 2)).string());
  EXPECT_EQ(run.address, "127.0.0.1:4567");
  EXPECT_EQ(run.token, "secret");
  EXPECT_EQ(run.page, "http://127.0.0.1:1");
  EXPECT_EQ(run.pid, 2);
  EXPECT_TRUE(run.running);
  EXPECT_TRUE(run.distrust.empty());
}

TEST_F(RunFinderTest, RunIsFoundByNameByLinkAndByDirectory) {
  const fs::path directory = make_run("a", 2);
  EXPECT_EQ(finder().find("a").directory, fs::canonical(directory));
  EXPECT_EQ(finder().find(directory.string()).directory, fs::canonical(directory));
  EXPECT_EQ(finder().find((dir_.path() / "links" / "a").string()).directory,
            fs::canonical(directory));
}

TEST_F(RunFinderTest, LatestOfTheCurrentFolderCountsWithoutALinkAndOnceWithOne) {
  const fs::path directory = make_run("a", 2);
  fs::create_directories(dir_.path() / "runs");
  fs::create_directory_symlink(directory, dir_.path() / "runs" / "latest");
  EXPECT_EQ(finder().all().size(), 1);
  fs::remove(dir_.path() / "links" / "a");
  EXPECT_EQ(finder().find("").run, "a");
}

TEST_F(RunFinderTest, LinkOfARemovedRunIsPassedOver) {
  fs::remove_all(make_run("gone", 2));
  make_run("a", 1);
  EXPECT_EQ(finder().find("").run, "a");
}

TEST_F(RunFinderTest, DatabaseAloneIsARunThatIsNotRunning) {
  make_run("a", 0);
  const FoundRun run = finder().find("a");
  EXPECT_FALSE(run.running);
  EXPECT_TRUE(run.address.empty());
}

TEST_F(RunFinderTest, DescriptionThatOthersCouldHaveWrittenIsNotBelieved) {
  const fs::path directory = make_run("a", 2);
  fs::permissions(directory / "coordinator.json", fs::perms::others_write, fs::perm_options::add);
  const FoundRun run = finder().find("a");
  EXPECT_TRUE(run.address.empty() && run.token.empty());
  EXPECT_FALSE(run.running);
  EXPECT_EQ(run.distrust, "may be written by others");
}

TEST_F(RunFinderTest, TornOrStrangeDescriptionIsNotBelieved) {
  const fs::path directory = make_run("a", 2);
  for (const char* text : {"{\"address\": \"127", "[]", "7", "{\"address\": 5}", "",
                           "{\"address\": \"x:1\", \"pid\": \"2\"}"}) {
    write(directory / "coordinator.json", text);
    const FoundRun run = finder().find("a");
    EXPECT_TRUE(run.address.empty()) << text;
    EXPECT_FALSE(run.running) << text;
  }
  fs::remove(directory / "coordinator.json");
  ASSERT_EQ(mkfifo((directory / "coordinator.json").c_str(), 0600), 0);
  EXPECT_EQ(finder().find("a").distrust, "is no plain file");
}

TEST_F(RunFinderTest, RefusalSaysWhereItLookedAndWhatIsNear) {
  EXPECT_THAT(refusal(""), HasSubstr("links"));
  make_run("20250131-best-1", 1);
  EXPECT_THAT(refusal("20250131-best-2"), HasSubstr("did you mean '20250131-best-1'"));
  fs::create_directories(dir_.path() / "empty");
  EXPECT_THAT(refusal((dir_.path() / "empty").string()), HasSubstr("--coordinator"));
  EXPECT_THAT(refusal("../links/x"), HasSubstr("no run '../links/x'"));
}

}  // namespace
}  // namespace convoy::launcher
