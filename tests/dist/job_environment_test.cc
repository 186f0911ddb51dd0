// Which environments mean a job of several ranks, and which do not.
#include "dist/job_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "core/base/check.h"

namespace convoy::dist {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::ThrowsMessage;

// Exactly these of the launchers' variables, until the test ends.
class JobEnvironmentTest : public ::testing::Test {
 protected:
  static constexpr const char* kNames[] = {
      "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMIX_RANK",   "PMI_RANK", "PMI_SIZE",
      "SLURM_STEP_NUM_TASKS", "SLURM_PROCID",         "SLURM_NTASKS"};

  void SetUp() override {
    for (const char* name : kNames) {
      if (const char* value = std::getenv(name)) {
        before_[name] = value;
      }
      unsetenv(name);
    }
  }
  void TearDown() override {
    for (const char* name : kNames) {
      unsetenv(name);
    }
    for (const auto& [name, value] : before_) {
      setenv(name.c_str(), value.c_str(), 1);
    }
  }
  static JobEnvironment with(const std::map<std::string, std::string>& variables) {
    for (const auto& [name, value] : variables) {
      setenv(name.c_str(), value.c_str(), 1);
    }
    return job_environment();
  }

 private:
  std::map<std::string, std::string> before_;
};

TEST_F(JobEnvironmentTest, AProcessOfItsOwnIsInNoJob) {
  EXPECT_FALSE(with({}).launched);
}

TEST_F(JobEnvironmentTest, MpirunSaysHowManyRanksThereAre) {
  const JobEnvironment found =
      with({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "2"}, {"PMIX_RANK", "2"}});
  EXPECT_TRUE(found.launched);
  EXPECT_THAT(found.ranks, Optional(4));
  EXPECT_THAT(found.rank, Optional(2));
}

TEST_F(JobEnvironmentTest, MpirunBelowSlurmIsMpirun) {
  EXPECT_THAT(with({{"OMPI_COMM_WORLD_SIZE", "8"}, {"SLURM_STEP_NUM_TASKS", "1"}}).ranks,
              Optional(8));
}

TEST_F(JobEnvironmentTest, ATaskOfSrunWithPmixIsARank) {
  const JobEnvironment found =
      with({{"SLURM_STEP_NUM_TASKS", "3"}, {"SLURM_PROCID", "1"}, {"PMIX_RANK", "1"}});
  EXPECT_TRUE(found.launched);
  EXPECT_THAT(found.ranks, Optional(3));
  EXPECT_THAT(found.rank, Optional(1));
}

TEST_F(JobEnvironmentTest, AShellOfSbatchIsNotARank) {
  EXPECT_FALSE(with({{"SLURM_NTASKS", "3"}, {"SLURM_PROCID", "0"}}).launched);
}

TEST_F(JobEnvironmentTest, ALoneTaskOfSrunIsNotARank) {
  EXPECT_FALSE(with({{"SLURM_STEP_NUM_TASKS", "1"}, {"PMIX_RANK", "0"}}).launched);
}

TEST_F(JobEnvironmentTest, TasksOfSrunWithoutPmixAreRefusedWithAdvice) {
  EXPECT_THAT(
      [&] {
        with({{"SLURM_STEP_NUM_TASKS", "3"}, {"SLURM_PROCID", "1"}});
      },
      ThrowsMessage<Error>(HasSubstr("srun --mpi=pmix")));
}

TEST_F(JobEnvironmentTest, TheRankIsKnownWithoutAJobToo) {
  EXPECT_EQ(launched_rank(), std::nullopt);
  setenv("SLURM_PROCID", "1", 1);
  EXPECT_EQ(launched_rank(), std::nullopt) << "a shell of sbatch";
  setenv("SLURM_STEP_NUM_TASKS", "3", 1);
  EXPECT_THAT(launched_rank(), Optional(1));
  setenv("OMPI_COMM_WORLD_RANK", "2", 1);
  EXPECT_THAT(launched_rank(), Optional(2)) << "an mpirun that srun started";
}

TEST_F(JobEnvironmentTest, AVariableThatIsNoNumberSaysNothing) {
  EXPECT_FALSE(with({{"OMPI_COMM_WORLD_SIZE", "many"}}).launched);
}

}  // namespace
}  // namespace convoy::dist
