#include "core/io/checkpoint.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "core/io/file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CheckpointContents contents(float value, std::int64_t elements = 100) {
  const SafetensorsFile model = {{{"w", {Tensor::full({elements}, value)}}}, {}};
  const SafetensorsFile optimizer = {{{"w.exp_avg", {Tensor::full({elements}, -value)}}}, {}};
  return {.model = model,
          .optimizer = optimizer,
          .state_json = fmt::format("{{\"value\": {}}}\n", value)};
}

void overwrite(const fs::path& path, std::streamoff at, char byte) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file.put(byte);
  ASSERT_TRUE(file.good());
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

TEST(CheckpointTest, WrittenCheckpointVerifiesAndHoldsItsParts) {
  const testing::TemporaryDirectory directory;
  const fs::path path = write_checkpoint(directory.path() / "run" / "checkpoints", 7, contents(2));
  EXPECT_EQ(path, directory.path() / "run" / "checkpoints" / "step-00000007");
  EXPECT_THAT(verify_checkpoint(path), IsEmpty());
  EXPECT_THAT(names_in(path), ElementsAre("manifest.json", "model.safetensors",
                                          "optimizer.safetensors", "state.json"));
  EXPECT_EQ(read_safetensors(path / "model.safetensors").tensors.at("w").values.values()[99], 2.0F);
  EXPECT_EQ(read_file(path / "state.json").size(), contents(2).state_json.size());
}

TEST(CheckpointTest, NewestIsThatOfTheHighestStep) {
  const testing::TemporaryDirectory directory;
  for (const std::int64_t step : {900, 1000, 123456789}) {
    write_checkpoint(directory.path(), step, contents(1));
  }
  write_checkpoint(directory.path(), 8, contents(1));
  fs::create_directory(directory.path() / "step-9999999999999999999999");
  fs::create_directory(directory.path() / "other");
  const CheckpointSearch search = latest_good_checkpoint(directory.path());
  EXPECT_EQ(search.newest_good, directory.path() / "step-123456789");
  EXPECT_THAT(search.skipped, IsEmpty());
}

TEST(CheckpointTest, DirectoryWithoutCheckpointsHasNone) {
  const testing::TemporaryDirectory directory;
  EXPECT_FALSE(latest_good_checkpoint(directory.path()).newest_good);
  EXPECT_FALSE(latest_good_checkpoint(directory.path() / "none").newest_good);
}

TEST(CheckpointTest, RemovedOneIsGoneAndTheOthersAreListed) {
  const testing::TemporaryDirectory directory;
  for (const std::int64_t step : {3, 5, 100000000}) {
    write_checkpoint(directory.path(), step, contents(1));
  }
  fs::create_directories(directory.path() / ".step-00000005.tmp" / "left behind");
  remove_checkpoint(directory.path() / "step-00000005");
  EXPECT_EQ(list_checkpoints(directory.path()),
            (std::map<std::int64_t, fs::path>{{3, directory.path() / "step-00000003"},
                                              {100000000, directory.path() / "step-100000000"}}));
  EXPECT_EQ(names_in(directory.path()).size(), 2U);
  expect_error([&] { remove_checkpoint(directory.path() / "step-00000005"); }, "cannot remove",
               "No such file");
}

TEST(CheckpointTest, DamagedOnesAreSkippedWithTheReason) {
  const testing::TemporaryDirectory directory;
  for (std::int64_t step = 1; step <= 5; ++step) {
    write_checkpoint(directory.path(), step, contents(1));
  }
  const auto file = [&](int step, const char* name) {
    return directory.path() / fmt::format("step-{:08}", step) / name;
  };
  overwrite(file(5, "model.safetensors"), 300, 'x');
  fs::resize_file(file(4, "optimizer.safetensors"), 100);
  fs::remove(file(3, "state.json"));
  fs::remove(file(2, "manifest.json"));
  const CheckpointSearch search = latest_good_checkpoint(directory.path());
  EXPECT_EQ(search.newest_good, directory.path() / "step-00000001");
  ASSERT_EQ(search.skipped.size(), 4U);
  EXPECT_EQ(search.skipped[0].checkpoint, directory.path() / "step-00000005");
  EXPECT_THAT(search.skipped[0].damage,
              ElementsAre(HasSubstr("'model.safetensors': its SHA-256 is not the manifest's")));
  EXPECT_THAT(search.skipped[1].damage,
              ElementsAre(HasSubstr("'optimizer.safetensors': 100 bytes, the manifest says")));
  EXPECT_THAT(search.skipped[2].damage, ElementsAre(HasSubstr("'state.json': No such file")));
  EXPECT_THAT(search.skipped[3].damage, ElementsAre(HasSubstr("manifest.json: No such file")));
}

TEST(CheckpointTest, DamagedManifestsAreNamed) {
  const testing::TemporaryDirectory directory;
  const fs::path path = write_checkpoint(directory.path(), 1, contents(1));
  const auto damage_with = [&](const std::string& manifest) {
    write_file_atomically(path / "manifest.json", as_bytes(manifest));
    return verify_checkpoint(path);
  };
  const auto not_a_manifest = ElementsAre(HasSubstr("manifest.json: not the manifest"));
  EXPECT_THAT(damage_with(""), not_a_manifest);
  EXPECT_THAT(damage_with("[]"), not_a_manifest);
  EXPECT_THAT(damage_with(R"({"format": "convoy-checkpoint", "version": 2, "files": {}})"),
              not_a_manifest);
  EXPECT_THAT(damage_with(R"({"format": "convoy-checkpoint", "version": 1, "files": 3})"),
              not_a_manifest);
  EXPECT_THAT(damage_with(std::string(1'000'000, '[')), not_a_manifest);
  EXPECT_THAT(damage_with(std::string(2'000'000, ' ')), ElementsAre(HasSubstr("too many")));

  const std::string start = R"({"format": "convoy-checkpoint", "version": 1, "files": )";
  EXPECT_THAT(damage_with(start + "{}}"),
              ElementsAre("model.safetensors: the manifest lacks it",
                          "optimizer.safetensors: the manifest lacks it",
                          "state.json: the manifest lacks it"));
  EXPECT_THAT(damage_with(start + R"({"model.safetensors": 1, "optimizer.safetensors": {},)"
                                  R"( "state.json": {"bytes": "x"}, "../secret": {}}})"),
              ElementsAre("'../secret': the manifest names a file outside of the checkpoint",
                          "'model.safetensors': the manifest does not describe it",
                          HasSubstr("'optimizer.safetensors': "), HasSubstr("'state.json': ")));
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  EXPECT_FALSE(damage_with(start + R"({"model.safetensors": )" + deep + "}}").empty());
}

TEST(CheckpointTest, StepWrittenAgainReplacesTheOldOne) {
  const testing::TemporaryDirectory directory;
  write_checkpoint(directory.path(), 3, contents(1));
  const fs::path path = write_checkpoint(directory.path(), 3, contents(5));
  EXPECT_THAT(verify_checkpoint(path), IsEmpty());
  EXPECT_EQ(read_safetensors(path / "model.safetensors").tensors.at("w").values.values()[0], 5.0F);
  EXPECT_THAT(names_in(directory.path()), ElementsAre("step-00000003"));
}

TEST(CheckpointTest, RemainsOfAKilledWriterAreRemoved) {
  const testing::TemporaryDirectory directory;
  fs::create_directory(directory.path() / ".step-00000002.tmp");
  std::ofstream(directory.path() / ".step-00000002.tmp" / "model.safetensors") << "half";
  write_checkpoint(directory.path(), 3, contents(1));
  EXPECT_THAT(names_in(directory.path()), ElementsAre("step-00000003"));
}

[[noreturn]] void write_for_ever(const fs::path& directory, std::int64_t step,
                                 int report) noexcept {
  for (;; ++step) {
    // Some steps are written twice, as after a resume.
    write_checkpoint(directory, step % 4 == 3 ? step - 1 : step, contents(1, 50'000));
    if (::write(report, &step, sizeof(step)) != sizeof(step)) {
      ::_exit(1);
    }
  }
}

// The child reports each finished step through a pipe and is killed at a moment that moves from
// round to round; then whatever is on disk must be a good checkpoint, at least the reported one.
TEST(CheckpointTest, KillInTheMiddleOfAWriteLeavesTheLastGoodOne) {
  const testing::TemporaryDirectory directory;
  std::int64_t reported = -1;
  int killed_while_writing = 0;
  for (int round = 0; round < 25; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      write_for_ever(directory.path(), reported + 1, pipe[1]);
    }
    ::close(pipe[1]);
    ASSERT_EQ(::read(pipe[0], &reported, sizeof(reported)), ssize_t{sizeof(reported)});
    ::usleep(static_cast<useconds_t>(round) * 400);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe[0], &reported, sizeof(reported)) > 0) {
    }
    ::close(pipe[0]);

    const CheckpointSearch search = latest_good_checkpoint(directory.path());
    EXPECT_THAT(search.skipped, IsEmpty());
    ASSERT_TRUE(search.newest_good);
    const std::int64_t newest = std::stoll(search.newest_good->filename().string().substr(5));
    EXPECT_GE(newest, reported % 4 == 3 ? reported - 1 : reported);
    for (const std::string& name : names_in(directory.path())) {
      killed_while_writing += name.front() == '.' ? 1 : 0;
    }
  }
  EXPECT_GT(killed_while_writing, 0) << "no kill hit a write: this test has shown nothing";
}

TEST(CheckpointTest, FailureHalfWayThroughATensorLeavesNoPartOfIt) {
  const testing::TemporaryDirectory directory;
  CheckpointContents broken = contents(1, 40'000);
  broken.optimizer.tensors["w.exp_avg"].read = [](std::int64_t first, std::span<float> out) {
    check(first == 0, "no element {}", first);
    std::ranges::fill(out, 0.0F);
  };
  expect_error([&] { write_checkpoint(directory.path(), 1, broken); }, "no element 16384");
  EXPECT_THAT(names_in(directory.path()), IsEmpty());
}

TEST(CheckpointTest, FullDiskLeavesTheOlderCheckpoints) {
  const testing::SmallDisk disk("256k");
  if (!disk.available()) {
    GTEST_SKIP() << "mounting a small file system is not allowed here";
  }
  write_checkpoint(disk.path(), 1, contents(1));
  expect_error([&] { write_checkpoint(disk.path(), 2, contents(1, 40'000)); },
               "optimizer.safetensors'", "No space left on device");
  EXPECT_THAT(names_in(disk.path()), ElementsAre("step-00000001"));
  EXPECT_TRUE(latest_good_checkpoint(disk.path()).newest_good);
}

TEST(CheckpointTest, PlaceThatCannotBeMadeIsRefused) {
  const testing::TemporaryDirectory directory;
  write_new_file(directory.path() / "file", as_bytes(""));
  expect_error([&] { write_checkpoint(directory.path() / "file" / "x", 1, contents(1)); },
               "cannot create directory", "Not a directory");
}

}  // namespace
}  // namespace convoy::io
