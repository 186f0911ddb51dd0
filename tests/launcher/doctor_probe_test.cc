#include "launcher/doctor_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "launcher/control_group.h"
#include "tests/support/temporary_directory.h"

namespace convoy::launcher {
namespace {

using ::testing::ElementsAre;

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

TEST(ControlGroupTest, TheSmallestLimitOnTheWayUpCounts) {
  const testing::TemporaryDirectory mount;
  write(mount.path() / "a" / "cpu.max", "400000 100000\n");
  write(mount.path() / "a" / "b" / "cpu.max", "max 100000\n");
  write(mount.path() / "a" / "memory.max", "2000000\n");
  write(mount.path() / "a" / "b" / "memory.max", "1000000\n");
  const GroupLimits limits = group_limits("0::/a/b\n", mount.path());
  EXPECT_EQ(limits.cores, 4.0);
  EXPECT_EQ(limits.memory_bytes, 1000000);
}

TEST(ControlGroupTest, VersionOneIsReadByController) {
  const testing::TemporaryDirectory mount;
  write(mount.path() / "cpu,cpuacct" / "cpu.cfs_quota_us", "150000\n");
  write(mount.path() / "cpu,cpuacct" / "cpu.cfs_period_us", "100000\n");
  write(mount.path() / "memory" / "memory.limit_in_bytes", "9223372036854771712\n");
  const GroupLimits limits =
      group_limits("3:cpu,cpuacct:/docker/123\n2:memory:/docker/123\n", mount.path());
  EXPECT_EQ(limits.cores, 1.5);
  EXPECT_EQ(limits.memory_bytes, std::nullopt);
}

TEST(ControlGroupTest, NoLimitAndNoGroupLimitNothing) {
  const testing::TemporaryDirectory mount;
  write(mount.path() / "cpu" / "cpu.cfs_quota_us", "-1\n");
  write(mount.path() / "cpu" / "cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(group_limits("1:cpu:/\n0::/x\nnonsense\n", mount.path()).cores, std::nullopt);
  EXPECT_EQ(group_limits("", "/nowhere").memory_bytes, std::nullopt);
}

TEST(DoctorProbeTest, RanksAreReadFromWhatAJobPrints) {
  const auto ranks = parse_ranks(
      "a warning\nconvoy-doctor-rank 1 node7 2 3\nconvoy-doctor-rank 0 node6 0\nconvoy-doctor-rank "
      "x\n");
  ASSERT_EQ(ranks.size(), 2U);
  EXPECT_EQ(ranks[0].rank, 0);
  EXPECT_EQ(ranks[1].host, "node7");
  EXPECT_THAT(ranks[1].cpus, ElementsAre(2, 3));
}

TEST(DoctorProbeTest, ADiskIsLookedAtWhereItsFolderWillBe) {
  const testing::TemporaryDirectory directory;
  const DiskFacts facts = probe_disk(directory.path() / "not" / "yet");
  EXPECT_EQ(facts.directory, directory.path().string());
  EXPECT_TRUE(facts.writable);
  EXPECT_GT(facts.free_bytes, 0);
}

TEST(DoctorProbeTest, ThisMachineHasAProcessorAndMemory) {
  const ProcessorFacts processor = probe_processor();
  EXPECT_FALSE(processor.model.empty());
  EXPECT_GE(processor.online, 1);
  EXPECT_FALSE(processor.allowed.empty());
  EXPECT_GT(probe_memory_bytes(), 1 << 20);
}

}  // namespace
}  // namespace convoy::launcher
