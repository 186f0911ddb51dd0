#include "dist/coordinator/worker/local_sink.h"

#include <condition_variable>
#include <mutex>

#include "core/base/check.h"

namespace convoy::dist {
namespace {

// Shared by whoever waits for the disk and by calls that may come back when nobody does any more.
struct Waiting {
  std::mutex mutex;
  std::condition_variable changed;
  bool cancelled = false;
};

class LocalSink : public ReportSink {
  template <typename Call>
  auto wait(const Call& call) {
    struct State {
      bool done = false;
      std::exception_ptr error;
    };
    const auto state = std::make_shared<State>();
    auto response = call([state, waiting = waiting_](std::exception_ptr error) {
      const std::lock_guard lock(waiting->mutex);
      state->done = true;
      state->error = std::move(error);
      waiting->changed.notify_all();
    });
    std::unique_lock lock(waiting_->mutex);
    waiting_->changed.wait_for(lock, timeout_, [&] { return state->done || waiting_->cancelled; });
    if (!state->done) {
      throw Refusal(Refusal::Kind::kUnavailable,
                    fmt::format("its disk takes longer than {} ms", timeout_.count()));
    }
    if (state->error) {
      try {
        std::rethrow_exception(state->error);
      } catch (const Refusal&) {
        throw;
      } catch (const std::exception& error) {
        throw Refusal(Refusal::Kind::kUnavailable, error.what());
      }
    }
    return response;
  }

 public:
  LocalSink(Coordinator& coordinator, std::chrono::milliseconds timeout)
      : coordinator_(coordinator), timeout_(timeout) {}

  v1::RegisterRunResponse register_run(const v1::RegisterRunRequest& request) override {
    return wait([&](auto done) { return coordinator_.register_run(request, done); });
  }
  v1::ReportProgressResponse report_progress(
      std::span<const v1::ReportProgressRequest> reports) override {
    // On disk together: the last is only when those before it are.
    for (const v1::ReportProgressRequest& report : reports.first(reports.size() - 1)) {
      coordinator_.report_progress(report, [](const std::exception_ptr&) {});
    }
    return wait([&](auto done) { return coordinator_.report_progress(reports.back(), done); });
  }
  v1::FinishEpochResponse finish_epoch(const v1::FinishEpochRequest& request) override {
    return wait([&](auto done) { return coordinator_.finish_epoch(request, done); });
  }
  v1::HeartbeatResponse heartbeat(const v1::HeartbeatRequest& request) override {
    return wait([&](auto done) { return coordinator_.heartbeat(request, done); });
  }
  v1::FinishRunResponse finish_run(const v1::FinishRunRequest& request) override {
    return wait([&](auto done) { return coordinator_.finish_run(request, done); });
  }

  void cancel() override {
    const std::lock_guard lock(waiting_->mutex);
    waiting_->cancelled = true;
    waiting_->changed.notify_all();
  }

 private:
  Coordinator& coordinator_;
  const std::chrono::milliseconds timeout_;
  const std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
};

}  // namespace

std::unique_ptr<ReportSink> make_local_sink(Coordinator& coordinator,
                                            std::chrono::milliseconds timeout) {
  return std::make_unique<LocalSink>(coordinator, timeout);
}

}  // namespace convoy::dist
