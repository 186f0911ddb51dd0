#include "launcher/mpirun_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace convoy::launcher {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using Words = std::vector<std::string>;

Words command(const MpirunOptions& options,
              const std::map<std::string, std::string>& variables = {}) {
  return mpirun_command(options, [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

MpirunOptions two_ranks() {
  return {.mpirun = "/usr/bin/mpirun",
          .ranks = 2,
          .program = "/opt/convoy",
          .arguments = {"train", "--epochs", "3"}};
}

TEST(MpirunCommandTest, RanksOfOneMachineAreNotBoundByMpirun) {
  EXPECT_THAT(command(two_ranks()), ElementsAre("/usr/bin/mpirun", "-n", "2", "--bind-to", "none",
                                                "/opt/convoy", "train", "--epochs", "3"));
}

TEST(MpirunCommandTest, RootAndTooManyRanksAreSaidToBeMeant) {
  MpirunOptions options = two_ranks();
  options.root = options.oversubscribed = true;
  EXPECT_EQ(shell_line(command(options)),
            "/usr/bin/mpirun --allow-run-as-root -n 2 --oversubscribe --mca mpi_yield_when_idle 1 "
            "--bind-to none /opt/convoy train --epochs 3");
}

TEST(MpirunCommandTest, ManyMachinesAreWatchedAndGetVariables) {
  MpirunOptions options = two_ranks();
  options.hostfile = "hosts";
  options.many_hosts = true;
  options.exported = {"CONVOY_ISA"};
  EXPECT_EQ(shell_line(command(options)),
            "/usr/bin/mpirun -n 2 --hostfile hosts --bind-to none --mca oob_tcp_keepalive_time 2 "
            "--mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 3 -x CONVOY_ISA "
            "/opt/convoy train --epochs 3");
}

TEST(MpirunCommandTest, ParameterFromTheEnvironmentIsLeftToIt) {
  MpirunOptions options = two_ranks();
  options.many_hosts = options.oversubscribed = true;
  const Words words = command(options, {{"OMPI_MCA_oob_tcp_keepalive_time", "60"},
                                        {"OMPI_MCA_mpi_yield_when_idle", "0"},
                                        {"OMPI_MCA_hwloc_base_binding_policy", "core"}});
  EXPECT_THAT(words, Not(Contains("oob_tcp_keepalive_time")));
  EXPECT_THAT(words, Contains("oob_tcp_keepalive_intvl"));
  EXPECT_THAT(words, Not(Contains("mpi_yield_when_idle")));
  EXPECT_THAT(words, Not(Contains("--bind-to")));
  EXPECT_THAT(command(two_ranks(), {{"OMPI_MCA_rmaps_base_mapping_policy", "slot:PE=2"}}),
              Not(Contains("--bind-to")));
}

TEST(MpirunCommandTest, RanksAreNotToldToStartRanks) {
  EXPECT_THAT(words_for_ranks(
                  {"train", "-n", "4", "--epochs", "3", "--hostfile", "h", "--lr=1", "--dry-run"}),
              ElementsAre("train", "--epochs", "3", "--lr=1"));
  EXPECT_THAT(words_for_ranks({"train", "--ranks=4", "--hostfile=h", "--dry-run=true", "--json"}),
              ElementsAre("train", "--json"));
  EXPECT_THAT(words_for_ranks({"train", "--ranks", "4"}), ElementsAre("train"));
}

TEST(MpirunCommandTest, LineCanBePastedIntoAShell) {
  EXPECT_EQ(shell_line({"a", "", "b c", "it's", "$HOME", "x=y"}),
            "a '' 'b c' 'it'\\''s' '$HOME' x=y");
}

TEST(MpirunCommandTest, RoomOfAHostfileIsTheSumOfItsSlots) {
  EXPECT_EQ(hostfile_slots("a slots=2\n\n# two more\nb slots = 3 max_slots=9\n"), 5);
  EXPECT_EQ(hostfile_slots("node1\tslots=4 # the big one"), 4);
  EXPECT_EQ(hostfile_slots(""), 0);
}

TEST(MpirunCommandTest, RoomIsUnknownIfALineDoesNotSay) {
  EXPECT_EQ(hostfile_slots("a slots=2\nb\n"), std::nullopt);
  EXPECT_EQ(hostfile_slots("a slots=many\n"), std::nullopt);
  EXPECT_EQ(hostfile_slots("a max_slots=4\n"), std::nullopt);
}

}  // namespace
}  // namespace convoy::launcher
