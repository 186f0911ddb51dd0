#include "dist/job_environment.h"

#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "core/base/check.h"

namespace convoy::dist {
namespace {

// The first of these variables that holds a number.
std::optional<int> number(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value != nullptr) {
      const std::string_view text = value;
      int result = 0;
      if (std::from_chars(text.begin(), text.end(), result).ptr == text.end() && !text.empty()) {
        return result;
      }
    }
  }
  return {};
}

}  // namespace

JobEnvironment job_environment() {
  // Open MPI's mpirun first: below it, srun's variables may be those of the step that started
  // mpirun's daemon on this host.
  if (const auto ranks = number({"OMPI_COMM_WORLD_SIZE"})) {
    return {.launched = true, .ranks = ranks, .rank = number({"OMPI_COMM_WORLD_RANK"})};
  }
  // Only a step's tasks have this variable, not the shell of sbatch or salloc.
  const auto tasks = number({"SLURM_STEP_NUM_TASKS"});
  const bool has_pmi = number({"PMIX_RANK", "PMI_RANK"}).has_value();
  if (tasks == 1) {
    return {};  // srun --pty bash: no other ranks, and maybe about to start some
  }
  check(!tasks || has_pmi,
        "srun started {} tasks that cannot find each other (no PMIx in the environment)\n"
        "Start them with `srun --mpi=pmix`, or let `convoy train -n {}` start mpirun.",
        tasks.value_or(0), tasks.value_or(0));
  return {.launched = has_pmi,
          .ranks = tasks ? tasks : number({"PMI_SIZE"}),
          .rank = number({"PMIX_RANK", "PMI_RANK"})};
}

std::optional<int> launched_rank() {
  if (const auto rank = number({"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})) {
    return rank;
  }
  return number({"SLURM_STEP_NUM_TASKS"}) ? number({"SLURM_PROCID"}) : std::nullopt;
}

}  // namespace convoy::dist
