#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "convoy/v1/coordinator.grpc.pb.h"
#include "dist/coordinator/rpc/grpc_log.h"
#include "dist/coordinator/rpc/grpc_status.h"
#include "dist/coordinator/rpc/load.h"

namespace convoy::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kCallTimeout{30};
constexpr std::int64_t kSteps = 1'000'000'000;

std::string name_of(grpc::StatusCode code) {
  static constexpr const char* kNames[] = {"OK",
                                           "CANCELLED",
                                           "UNKNOWN",
                                           "INVALID_ARGUMENT",
                                           "DEADLINE_EXCEEDED",
                                           "NOT_FOUND",
                                           "ALREADY_EXISTS",
                                           "PERMISSION_DENIED",
                                           "RESOURCE_EXHAUSTED",
                                           "FAILED_PRECONDITION",
                                           "ABORTED",
                                           "OUT_OF_RANGE",
                                           "UNIMPLEMENTED",
                                           "INTERNAL",
                                           "UNAVAILABLE",
                                           "DATA_LOSS",
                                           "UNAUTHENTICATED"};
  const auto number = static_cast<std::size_t>(code);
  return number < std::size(kNames) ? kNames[number] : fmt::format("code {}", number);
}

// What all workers add to.
class Tally {
 public:
  void add(double latency_ms, int reports, const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    latencies_ms_.push_back(latency_ms);
    if (status.ok()) {
      reports_ += reports;
      return;
    }
    ++failed_;
    LoadFailure& failure = failures_[name_of(status.error_code())];
    if (++failure.calls == 1) {
      failure.example = status.error_message();
    }
  }
  LoadResult result(double seconds) {
    const std::lock_guard lock(mutex_);
    std::ranges::sort(latencies_ms_);
    const auto quantile = [&](double share) {
      const auto count = static_cast<double>(latencies_ms_.size());
      const double rank = std::max(1.0, std::ceil(share * count));
      return latencies_ms_.empty() ? 0.0 : latencies_ms_[static_cast<std::size_t>(rank) - 1];
    };
    return {.reports_per_second = static_cast<double>(reports_) / seconds,
            .p50_ms = quantile(0.5),
            .p99_ms = quantile(0.99),
            .max_ms = quantile(1.0),
            .calls = static_cast<std::int64_t>(latencies_ms_.size()),
            .failed = failed_,
            .failures = failures_};
  }

 private:
  std::mutex mutex_;
  std::vector<double> latencies_ms_;
  std::int64_t reports_ = 0;
  std::int64_t failed_ = 0;
  std::map<std::string, LoadFailure> failures_;
};

class Worker {
 public:
  Worker(const Load& load, int number, Tally& tally)
      : load_(load), tally_(tally), run_(fmt::format("{}-{}", load.run, number)) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    stub_ = v1::CoordinatorService::NewStub(grpc::CreateCustomChannel(
        load.endpoint.address, grpc::InsecureChannelCredentials(), arguments));
  }

  void enroll() {
    v1::RegisterRunRequest request;
    request.set_run(run_);
    request.set_generation(1);
    request.set_attempt("bench");
    v1::RunSpec& spec = *request.mutable_spec();
    spec.set_model("tutorial");
    spec.set_dataset("synthetic");
    spec.set_batch_size(32);
    spec.set_epochs(1);
    spec.set_steps(kSteps);
    spec.set_steps_per_epoch(kSteps);
    spec.set_images_per_epoch(32 * kSteps);
    spec.set_world_size(1);
    spec.set_threads(1);
    request.add_ranks()->set_host("bench");
    request.mutable_lease()->set_seconds(600);
    grpc::ClientContext context;
    prepare(context);
    v1::RegisterRunResponse response;
    if (const grpc::Status status = stub_->RegisterRun(&context, request, &response);
        !status.ok()) {
      throw to_refusal(status, load_.endpoint.address);
    }
  }

  /// Begins a call that was due then, unless one is under way: it is begun when that is over.
  void report(Clock::time_point due) {
    {
      const std::lock_guard lock(mutex_);
      if (busy_) {
        due_.push_back(due);
        return;
      }
      busy_ = true;
    }
    begin(due);
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  void wait_until_idle() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return !busy_; });
  }

 private:
  class Call final : public grpc::ClientWriteReactor<v1::ReportProgressRequest> {
   public:
    Call(Worker& worker, Clock::time_point due) : worker_(worker), due_(due) {}
    void start() {
      worker_.prepare(context_);
      worker_.stub_->async()->ReportProgress(&context_, &response_, this);
      write();
      StartCall();
    }
    void OnWriteDone(bool ok) override {
      if (ok && left_ > 0) {
        write();
      }
    }
    void OnDone(const grpc::Status& status) override {
      const double latency_ms =
          std::chrono::duration<double, std::milli>(Clock::now() - due_).count();
      Worker& worker = worker_;
      worker.tally_.add(latency_ms, worker.load_.reports_per_call, status);
      delete this;
      worker.go_on();
    }

   private:
    void write() {
      --left_;
      worker_.next_report(request_);
      if (left_ == 0) {
        StartWriteLast(&request_, {});
      } else {
        StartWrite(&request_);
      }
    }

    Worker& worker_;
    Clock::time_point due_;
    int left_ = worker_.load_.reports_per_call;
    grpc::ClientContext context_;
    v1::ReportProgressRequest request_;
    v1::ReportProgressResponse response_;
  };

  void prepare(grpc::ClientContext& context) const {
    if (!load_.endpoint.token.empty()) {
      context.AddMetadata("authorization", "Bearer " + load_.endpoint.token);
    }
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  }
  void begin(Clock::time_point due) { (new Call(*this, due))->start(); }

  void go_on() {
    Clock::time_point due = Clock::now();
    {
      const std::lock_guard lock(mutex_);
      const bool more = load_.period.count() == 0 || !due_.empty();
      if (stopped_ || !more) {
        busy_ = false;
        idle_.notify_all();
        return;
      }
      if (!due_.empty()) {
        due = due_.front();
        due_.erase(due_.begin());
      }
    }
    begin(due);
  }

  void next_report(v1::ReportProgressRequest& request) {
    ++sequence_;
    request.Clear();
    request.set_run(run_);
    request.set_generation(1);
    request.set_sequence(sequence_);
    v1::StepReport& step = *request.add_steps();
    step.set_step(sequence_);
    step.set_epoch(1);
    step.set_learning_rate(0.001);
    step.mutable_duration()->set_nanos(20'000'000);
    v1::RankStep& rank = *step.add_ranks();
    rank.mutable_sums()->set_images(32);
    rank.mutable_sums()->set_correct(16);
    rank.mutable_sums()->set_loss_sum(48.5);
    rank.mutable_computing()->set_nanos(19'000'000);
    rank.mutable_waiting()->set_nanos(1'000'000);
  }

  const Load& load_;
  Tally& tally_;
  const std::string run_;
  std::unique_ptr<v1::CoordinatorService::Stub> stub_;
  std::int64_t sequence_ = 0;  // one call at a time uses it

  std::mutex mutex_;  // for all below
  std::condition_variable idle_;
  std::vector<Clock::time_point> due_;
  bool busy_ = false;
  bool stopped_ = false;
};

using Workers = std::vector<std::unique_ptr<Worker>>;

void pace(const Load& load, Workers& workers, Clock::time_point start) {
  const Clock::duration gap = Clock::duration(load.period) / load.workers;
  for (std::int64_t call = 0; call * gap < load.duration; ++call) {
    const Clock::time_point due = start + call * gap;
    std::this_thread::sleep_until(due);
    workers[static_cast<std::size_t>(call % load.workers)]->report(due);
  }
}

}  // namespace

LoadResult generate_load(const Load& load) {
  take_over_grpc_log();
  Tally tally;
  Workers workers;
  for (int number = 0; number < load.workers; ++number) {
    workers.push_back(std::make_unique<Worker>(load, number, tally));
    workers.back()->enroll();
  }
  const Clock::time_point start = Clock::now();
  if (load.period.count() > 0) {
    pace(load, workers, start);
  } else {
    for (const auto& worker : workers) {
      worker->report(start);
    }
    std::this_thread::sleep_until(start + load.duration);
  }
  for (const auto& worker : workers) {
    worker->stop();
  }
  for (const auto& worker : workers) {
    worker->wait_until_idle();
  }
  return tally.result(std::chrono::duration<double>(Clock::now() - start).count());
}

}  // namespace convoy::dist
