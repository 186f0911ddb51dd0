// The program `convoy`: reads the command line, runs a subcommand, and turns what is thrown into a
// line on stderr and an exit code. Nothing else catches.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>

#include "dist/collectives.h"
#include "dist/job.h"
#include "dist/job_environment.h"
#include "launcher/commands.h"
#include "launcher/core_binding.h"
#include "launcher/exit_codes.h"
#include "launcher/stop_signal.h"

namespace {

namespace dist = convoy::dist;
namespace launcher = convoy::launcher;

// Runs a subcommand on all ranks of the job. `job` outlives what is thrown, so that a rank that
// fails does not wait for the others in MPI_Finalize.
struct Run {
  std::unique_ptr<dist::Communicator>& job;
  std::vector<std::string> words;  // of the command line

  int operator()(const launcher::HelpText& help) const {
    if (dist::launched_rank().value_or(0) == 0) {
      fmt::print("{}", help.text);
    }
    return 0;
  }
  int operator()(const launcher::TrainOptions& options) const {
    if (const std::optional<int> exit_code = run_ranks(options, words)) {
      return *exit_code;
    }
    // Until all ranks have finished: a late signal must not end one alone.
    const launcher::StopSignal stop;
    join();
    return finish(run_train(options, *job));
  }
  int operator()(const launcher::EvaluateOptions& options) const {
    join();
    return finish(run_evaluate(options, *job));
  }
  int operator()(const launcher::PredictOptions& options) const { return run_predict(options); }
  int operator()(const launcher::ExportOptions& options) const { return run_export(options); }
  int operator()(const launcher::DoctorOptions& options) const { return run_doctor(options); }
  int operator()(const launcher::DoctorRankOptions&) const {
    join();
    return finish(launcher::run_doctor_rank(*job));
  }
  int operator()(const launcher::BenchScalingOptions& options) const {
    return run_bench_scaling(options);
  }
  int operator()(const launcher::BenchCoordinatorOptions& options) const {
    return run_bench_coordinator(options);
  }
  int operator()(const launcher::StatusOptions& options) const { return run_status(options); }
  int operator()(const launcher::StopOptions& options) const { return run_stop(options); }
  int operator()(const launcher::CoordinatorOptions& options) const {
    return run_coordinator(options);
  }
  int operator()(const launcher::LogLevelOptions& options) const { return run_log_level(options); }

  void join() const {
    launcher::keep_to_own_cores();
    job = dist::join_job();
  }

  // Waits for the other ranks, naming one that does not come.
  int finish(int exit_code) const {
    job->set_activity("finishing");
    barrier(*job);
    return exit_code;
  }
};

// Says why this rank ends, and ends the others with it.
int give_up(const std::exception& error, int exit_code, const dist::Communicator* job) {
  if (job == nullptr || job->size() == 1) {
    if (job == nullptr && dist::launched_rank().value_or(0) != 0) {
      // As below; here it is mpirun that ends the others, a second or two after rank 0.
      std::this_thread::sleep_for(std::chrono::seconds(4));
    }
    fmt::print(stderr, "convoy: {}\n", error.what());
    return exit_code;
  }
  if (job->rank() != 0) {
    // If all ranks met the same, rank 0 says so and ends them meanwhile: once is enough.
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  fmt::print(stderr, "convoy: {}: {}\n", job->name(job->rank()), error.what());
  dist::abort_job(exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  std::unique_ptr<dist::Communicator> job;
  try {
    return std::visit(Run{job, {argv + 1, argv + argc}}, launcher::parse_command_line(argc, argv));
  } catch (const launcher::UsageError& error) {
    return give_up(error, launcher::kExitUsage, job.get());
  } catch (const std::exception& error) {
    return give_up(error, launcher::kExitError, job.get());
  }
}
