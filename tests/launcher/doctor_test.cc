#include "launcher/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace convoy::launcher {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

JobFacts good_job(int ranks) {
  JobFacts job = {.command = "mpirun convoy doctor-rank", .ranks = ranks};
  for (int rank = 0; rank < ranks; ++rank) {
    job.seen.push_back({.rank = rank, .host = "node", .cpus = {2 * rank, 2 * rank + 1}});
  }
  return job;
}

// A machine of four cores where all is well.
Facts healthy() {
  constexpr std::int64_t kGiB = std::int64_t{1} << 30;
  return {
      .convoy = "1.2.3",
      .blis = "BLIS 0.9.0",
      .mpi = {.built_in = true,
              .library = "Open MPI v4.1.4, package: Debian OpenMPI",
              .mpirun = "/usr/bin/mpirun",
              .mpirun_version = "mpirun (Open MPI) 4.1.4\n\nReport bugs to ...",
              .plain = {good_job(2)}},
      .processor = {.model = "a CPU", .online = 4, .allowed = {0, 1, 2, 3}},
      .shared_memory = {.total_bytes = kGiB, .free_bytes = kGiB, .writable = true},
      .network = {.loopback = true, .interfaces = {{.name = "eth0", .network = "192.0.2.0/24"}}},
      .memory_bytes = 8 * kGiB,
      .runs = {.directory = "/data", .free_bytes = kGiB, .writable = true},
      .temporary = {.directory = "/tmp", .free_bytes = kGiB, .writable = true},
      .data = {{.name = "mnist", .directory = "data/mnist", .found = true}},
      .ranks = 4,
      .threads = 1};
}

auto finding(Level level, const std::string& topic, const std::string& what,
             const std::string& fix) {
  return AllOf(Field("level", &Finding::level, level), Field("topic", &Finding::topic, topic),
               Field("what", &Finding::what, HasSubstr(what)),
               Field("fix", &Finding::fix, HasSubstr(fix)));
}

auto problem(const std::string& topic, const std::string& what, const std::string& fix) {
  return Contains(finding(Level::kProblem, topic, what, fix));
}

auto note(const std::string& topic, const std::string& what, const std::string& fix) {
  return Contains(finding(Level::kNote, topic, what, fix));
}

TEST(DoctorTest, AHealthyMachineIsAllOk) {
  EXPECT_THAT(judge(healthy()),
              Each(AllOf(Field(&Finding::level, Level::kOk), Field(&Finding::fix, ""))));
}

TEST(DoctorTest, WhateverIsNotWellHasAFix) {
  Facts facts;  // nothing was found at all
  facts.mpi.built_in = true;
  facts.network.listen_refusal = "Operation not permitted";
  const auto findings = judge(facts);
  EXPECT_GT(std::ranges::count(findings, Level::kProblem, &Finding::level), 4);
  for (const Finding& one : findings) {
    EXPECT_EQ(one.level == Level::kOk, one.fix.empty()) << one.what;
  }
}

TEST(DoctorTest, MoreRanksThanCoresIsAProblemThatFewerSolve) {
  Facts facts = healthy();
  facts.ranks = 6;
  EXPECT_THAT(judge(facts), problem("cores", "6 ranks x 1 thread on 4 cores", "-n 4 --threads 1"));
  facts.ranks = 2;
  facts.threads = 3;
  EXPECT_THAT(judge(facts), problem("cores", "2 ranks x 3 threads", "-n 2 --threads 2"));
}

TEST(DoctorTest, AContainersQuotaCountsAsCores) {
  Facts facts = healthy();
  facts.processor.quota = 1.5;
  EXPECT_EQ(usable_cores(facts.processor), 1);
  EXPECT_THAT(judge(facts), note("quota", "1.5 of the 4 cores", "OMP_NUM_THREADS=1"));
  EXPECT_THAT(judge(facts), problem("cores", "on 1 core:", "-n 1"));
  facts.processor.quota = 0.25;
  EXPECT_EQ(usable_cores(facts.processor), 1);
}

TEST(DoctorTest, AProcessHeldToSomeCoresIsNoted) {
  Facts facts = healthy();
  facts.processor.allowed = {2};
  facts.ranks = 1;
  EXPECT_THAT(judge(facts), note("binding", "held to 1 of 4 cores: 2", "taskset"));
}

TEST(DoctorTest, ABusyMachineIsNoted) {
  Facts facts = healthy();
  facts.processor.load = 4.5;
  EXPECT_THAT(judge(facts), note("load", "4.5 programs", "top"));
}

TEST(DoctorTest, SmallSharedMemoryIsAProblem) {
  Facts facts = healthy();
  facts.shared_memory.free_bytes = 16 << 20;
  EXPECT_THAT(judge(facts), problem("/dev/shm", "16 MiB free", "--shm-size"));
  facts.shared_memory.writable = false;
  EXPECT_THAT(judge(facts), problem("/dev/shm", "cannot be written", "mount"));
}

TEST(DoctorTest, FilesOfDeadJobsAreNotedWithOnePatternForEachJob) {
  Facts facts = healthy();
  facts.shared_memory.left_over = {"/dev/shm/vader_segment.n.0.a1.0",
                                   "/dev/shm/vader_segment.n.0.a1.1",
                                   "/dev/shm/vader_segment.n.0.b2.0"};
  facts.shared_memory.left_over_bytes = 12 << 20;
  EXPECT_THAT(judge(facts),
              note("/dev/shm", "3 files (12 MiB)",
                   "rm /dev/shm/vader_segment.n.0.a1.* /dev/shm/vader_segment.n.0.b2.*"));
}

TEST(DoctorTest, MemoryThatMayNotBeCopiedIsAProblem) {
  Facts facts = healthy();
  facts.shared_memory.copy_refusal = "Operation not permitted";
  EXPECT_THAT(judge(facts), problem("ptrace", "Operation not permitted", "SYS_PTRACE"));
}

TEST(DoctorTest, TooLittleMemoryOrDiskIsAProblem) {
  Facts facts = healthy();
  facts.memory_bytes = 300 << 20;
  facts.runs.free_bytes = 10 << 20;
  facts.temporary.writable = false;
  const auto findings = judge(facts);
  EXPECT_THAT(findings, problem("memory", "300 MiB available", "-n 1"));
  EXPECT_THAT(findings, problem("disk", "10 MiB free in /data", "--run-dir"));
  EXPECT_THAT(findings, problem("disk", "/tmp cannot be written", "TMPDIR"));
}

TEST(DoctorTest, ADataSetThatIsNotThereIsNotedWithTheCommandThatGetsIt) {
  Facts facts = healthy();
  facts.data.front().found = false;
  facts.data.push_back({.name = "fashion-mnist", .directory = "data/fashion-mnist"});
  EXPECT_THAT(judge(facts), note("data", "no mnist", "deploy/fetch-mnist"));
  EXPECT_THAT(judge(facts), note("data", "no fashion", "apt-get install dataset-fashion-mnist"));
}

TEST(DoctorTest, AnMpirunOfAnotherVersionIsAProblem) {
  Facts facts = healthy();
  facts.mpi.mpirun = "/opt/mpi/bin/mpirun";
  facts.mpi.mpirun_version = "mpirun (Open MPI) 5.0.1";
  EXPECT_THAT(judge(facts), problem("MPI", "MPI 4.1.4, but /opt/mpi/bin/mpirun is 5.0.1", "PATH"));
  facts.mpi.mpirun_version = "no such option: --version";
  EXPECT_THAT(judge(facts), problem("MPI", "of another kind", "PATH"));
}

TEST(DoctorTest, MissingMpiIsANoteAndMissingMpirunAProblem) {
  Facts facts = healthy();
  facts.mpi.mpirun = "";
  EXPECT_THAT(judge(facts), problem("MPI", "no mpirun", "apt-get install openmpi-bin"));
  facts.mpi = {};
  EXPECT_THAT(judge(facts), note("MPI", "built without", "CONVOY_WITH_MPI=ON"));
}

TEST(DoctorTest, AJobThatFailsIsExplainedByWhatItSaid) {
  Facts facts = healthy();
  JobFacts& job = facts.mpi.plain.front();
  job.seen.clear();
  job.exit_code = 1;
  job.errors = "-----\nThere are not enough slots available in the system to satisfy ...";
  EXPECT_THAT(judge(facts), problem("MPI job", "more ranks than cores", "--oversubscribe"));
  job.errors = "--------\n  something new\n";
  EXPECT_THAT(judge(facts), problem("MPI job", "0 of 2 ranks came through:   something new", ""));
  job.timed_out = true;
  job.errors = "";
  EXPECT_THAT(judge(facts), problem("MPI job", "did not end", "btl_base_verbose"));
}

TEST(DoctorTest, AWarningOfAJobThatEndedWellIsAProblemToo) {
  Facts facts = healthy();
  facts.mpi.plain.front().errors = "[node:1] Read -1, expected 1048576, errno = 1\n";
  EXPECT_THAT(judge(facts), problem("MPI job", "copy", "single_copy_mechanism=none"));
}

TEST(DoctorTest, ARankThatIsMissingIsAProblem) {
  Facts facts = healthy();
  facts.mpi.plain.front().seen.pop_back();
  EXPECT_THAT(judge(facts), problem("MPI job", "1 of 2 ranks", "mpirun"));
}

TEST(DoctorTest, RanksOnFewerCoresThanThereAreAreNotedAndAProblemIfConvoyPutThemThere) {
  Facts facts = healthy();
  facts.mpi.plain.front().seen[1].cpus = {3};
  EXPECT_THAT(judge(facts), note("binding", "rank 1 on 1 core (3)", "--bind-to none"));
  facts.mpi.launched = facts.mpi.plain.front();
  EXPECT_THAT(judge(facts), problem("binding", "of 4 usable", "--bind-to none"));
}

TEST(DoctorTest, RanksCrowdedOnOneCoreAreNotedEvenIfEachHasItsShare) {
  Facts facts = healthy();
  facts.processor = {.online = 2, .allowed = {0, 1}};
  facts.mpi.plain.front().seen[0].cpus = {0};
  facts.mpi.plain.front().seen[1].cpus = {0};
  EXPECT_THAT(judge(facts), note("binding", "rank 0 on 1 core (0), rank 1 on 1 core (0)", ""));
}

TEST(DoctorTest, ABridgeBesideARealInterfaceIsATrap) {
  Facts facts = healthy();
  facts.network.interfaces.push_back({.name = "docker0", .network = "172.17.0.0/16"});
  EXPECT_THAT(judge(facts), note("network", "docker0 (172.17.0.0/16), which leads nowhere",
                                 "OMPI_MCA_btl_tcp_if_include=192.0.2.0/24"));
  facts.network.chosen = "192.0.2.0/24";
  EXPECT_THAT(judge(facts),
              Contains(finding(Level::kOk, "network", "told to use 192.0.2.0/24", "")));
}

TEST(DoctorTest, PortsThatCannotBeHadAreAProblem) {
  Facts facts = healthy();
  facts.network.port_range = "ports 5000 to 5010";
  EXPECT_THAT(judge(facts), problem("ports", "none is free in ports 5000 to 5010", "unset"));
  facts.network.free_ports = 3;
  EXPECT_THAT(judge(facts), Contains(finding(Level::kOk, "ports", "5000", "")));
  facts.network.listen_refusal = "Permission denied";
  EXPECT_THAT(judge(facts), problem("ports", "Permission denied", "policy"));
}

TEST(DoctorTest, VersionsAreFoundInWhatProgramsSay) {
  EXPECT_EQ(version_in("mpirun (Open MPI) 4.1.4\n"), "4.1.4");
  EXPECT_EQ(version_in("Open MPI v5.0.0rc12, package: x 1.2"), "5.0.0");
  EXPECT_EQ(version_in("MPI 3 of 2012"), "");
  EXPECT_EQ(version_in(""), "");
}

TEST(DoctorTest, TheTableShowsEveryFixBelowItsFinding) {
  const std::string text = findings_text(
      {{.topic = "MPI", .what = "4.1.4"},
       {.level = Level::kProblem, .topic = "/dev/shm", .what = "full", .fix = "rm it"}},
      false);
  EXPECT_EQ(text,
            "ok       MPI       4.1.4\n"
            "problem  /dev/shm  full\n"
            "                   fix: rm it\n"
            "\n1 problem, 0 notes\n");
  EXPECT_THAT(findings_text({{}}, true), HasSubstr("\033["));
}

TEST(DoctorTest, TheJsonCountsAndListsFindings) {
  const auto json = nlohmann::json::parse(
      findings_json({{.topic = "a", .what = "b"},
                     {.level = Level::kNote, .topic = "c", .what = "d", .fix = "e"}}));
  EXPECT_EQ(json["problems"], 0);
  EXPECT_EQ(json["notes"], 1);
  EXPECT_EQ(json["findings"][0], nlohmann::json({{"level", "ok"}, {"topic", "a"}, {"what", "b"}}));
  EXPECT_EQ(json["findings"][1]["fix"], "e");
}

}  // namespace
}  // namespace convoy::launcher
