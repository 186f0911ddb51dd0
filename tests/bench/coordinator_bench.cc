// coordinator_bench DIRECTORY: how many reports a second a coordinator takes, without a network:
// workers that each send a report (one step of their own rank) when the last one is on disk.
//
// Columns: whether each commit waits for the disk; runs; ranks of each (every rank is a worker);
// reports per second; microseconds of CPU per report, the made-up workers' included; median and
// 99th percentile of the time from a report to its answer.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>

#include "dist/coordinator/committer.h"

namespace {

using namespace convoy;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kDuration{5};
constexpr std::int64_t kSteps = 1'000'000'000;

struct Worker {
  v1::ReportProgressRequest report = {};
  Clock::time_point sent = {};
};

class Ready {
 public:
  void put(Worker* worker) {
    const std::lock_guard lock(mutex_);
    ready_.push_back(worker);
    if (ready_.size() == 1) {
      some_.notify_one();
    }
  }
  Worker* take() {
    std::unique_lock lock(mutex_);
    some_.wait(lock, [&] { return !ready_.empty(); });
    Worker* worker = ready_.front();
    ready_.pop_front();
    return worker;
  }

 private:
  std::mutex mutex_;
  std::condition_variable some_;
  std::deque<Worker*> ready_;
};

v1::RegisterRunRequest registration(const std::string& run, std::int32_t ranks) {
  v1::RegisterRunRequest request;
  request.set_run(run);
  request.set_generation(1);
  request.set_attempt("bench");
  v1::RunSpec& spec = *request.mutable_spec();
  spec.set_batch_size(1024);
  spec.set_epochs(1000);
  spec.set_steps(kSteps);
  spec.set_steps_per_epoch(kSteps);
  spec.set_world_size(ranks);
  for (std::int32_t rank = 0; rank < ranks; ++rank) {
    request.add_ranks()->set_rank(rank);
    request.mutable_ranks(rank)->set_host("node1");
  }
  return request;
}

void next_step(v1::ReportProgressRequest& report) {
  report.set_sequence(report.sequence() + 1);
  v1::StepReport& step = *report.mutable_steps(0);
  step.set_step(step.step() + 1);
}

v1::ReportProgressRequest first_report(const std::string& run, std::int32_t rank) {
  v1::ReportProgressRequest report;
  report.set_run(run);
  report.set_generation(1);
  report.set_rank(rank);
  v1::StepReport& step = *report.add_steps();
  step.set_epoch(1);
  step.set_learning_rate(0.001);
  step.mutable_duration()->set_nanos(100'000'000);
  v1::RankStep& part = *step.add_ranks();
  part.set_rank(rank);
  part.mutable_sums()->set_images(1);
  part.mutable_sums()->set_correct(1);
  part.mutable_sums()->set_loss_sum(0.25);
  part.mutable_computing()->set_nanos(80'000'000 + rank);
  part.mutable_waiting()->set_nanos(20'000'000);
  return report;
}

double cpu_seconds() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void measure(const std::filesystem::path& directory, bool sync, int runs, std::int32_t ranks) {
  const std::filesystem::path file = directory / "bench.db";
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    std::filesystem::remove(file.string() + suffix);
  }
  dist::Store store({.database = file, .sync = sync});
  dist::RunBook book({}, store.load());
  dist::Committer committer({.book = book,
                             .store = store,
                             .clock = std::chrono::system_clock::now,
                             .changed = [](const std::string&) {}});
  std::vector<Worker> workers;
  for (int run = 0; run < runs; ++run) {
    const std::string name = fmt::format("run-{}", run);
    committer.tell([](const auto&) {},
                   [&](dist::RunBook& told, dist::Time now) {
                     return told.register_run(registration(name, ranks), now, {});
                   });
    for (std::int32_t rank = 0; rank < ranks; ++rank) {
      workers.push_back({.report = first_report(name, rank)});
    }
  }
  Ready ready;
  for (Worker& worker : workers) {
    ready.put(&worker);
  }
  std::vector<double> milliseconds;
  std::int64_t under_way = 0;
  const double cpu = cpu_seconds();
  const Clock::time_point begin = Clock::now();
  while (Clock::now() - begin < kDuration || under_way > 0) {
    Worker& worker = *ready.take();
    if (worker.sent != Clock::time_point()) {
      --under_way;
      milliseconds.push_back(
          std::chrono::duration<double, std::milli>(Clock::now() - worker.sent).count());
    }
    if (Clock::now() - begin >= kDuration) {
      continue;
    }
    next_step(worker.report);
    worker.sent = Clock::now();
    ++under_way;
    committer.tell([&ready, &worker](const std::exception_ptr&) { ready.put(&worker); },
                   [&](dist::RunBook& told, dist::Time now) {
                     return told.report_progress(worker.report, now);
                   });
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const auto count = static_cast<double>(milliseconds.size());
  std::ranges::sort(milliseconds);
  const auto percentile = [&](double part) {
    return milliseconds[static_cast<std::size_t>(part * (count - 1))];
  };
  fmt::print("{:4}  {:5}  {:5}  {:8.0f}/s  {:6.1f} us  {:7.2f} ms  {:7.2f} ms\n",
             sync ? "full" : "wal", runs, ranks, count / seconds,
             (cpu_seconds() - cpu) * 1e6 / count, percentile(0.5), percentile(0.99));
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : ".";
  fmt::print("sync   runs  ranks   reports        CPU      median         p99\n");
  for (const bool sync : {true, false}) {
    measure(directory, sync, 1, 1);
    measure(directory, sync, 1, 100);
    measure(directory, sync, 1, 1000);
    measure(directory, sync, 1000, 1);
  }
}
