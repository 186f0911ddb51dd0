// A true coordinator that can be taken away, and a way to it on which calls and answers get lost,
// come twice or hang.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "dist/coordinator/worker/local_sink.h"

namespace convoy::dist {

// A coordinator that can be taken away and come back.
class Site {
 public:
  explicit Site(std::filesystem::path database) : database_(std::move(database)) { start(); }

  void start() {
    coordinator_ = std::make_shared<Coordinator>(Coordinator::Options{.database = database_});
  }
  void stop() {
    while (coordinator_.use_count() > 1) {  // a call is under way
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    coordinator_.reset();
  }
  /// Comes back without what it knew.
  void restart_empty() {
    stop();
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(database_.string() + suffix);
    }
    start();
  }
  std::shared_ptr<Coordinator> get() const { return coordinator_; }
  /// Without a name if it is not known.
  v1::Run run() const {
    v1::GetRunRequest request;
    request.set_run("run");
    try {
      return get()->get_run(request);
    } catch (const Refusal&) {
      return {};
    }
  }

 private:
  std::filesystem::path database_;
  std::shared_ptr<Coordinator> coordinator_;
};

// Does to calls what networks do. Shared by the test and the sink that the reporter owns.
struct Weather {
  std::atomic<bool> away = false;   // nothing arrives
  std::atomic<bool> hangs = false;  // nothing arrives, and nobody says so
  std::atomic<int> trouble = 0;     // of 100 calls, so many go wrong
  std::atomic<int> calls = 0;
  std::atomic<bool> cancelled = false;
  std::mutex mutex;
  Site* site = nullptr;
  std::minstd_rand random;
};

class StormySink : public ReportSink {
  template <typename Call>
  auto through(const Call& call) {
    ++weather_->calls;
    while (weather_->hangs && !weather_->cancelled) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::shared_ptr<Coordinator> coordinator;
    int luck = 0;
    {
      const std::lock_guard lock(weather_->mutex);
      coordinator = weather_->site->get();
      luck = static_cast<int>(weather_->random() % 100);
    }
    if (weather_->away || weather_->cancelled || coordinator == nullptr) {
      throw Refusal(Refusal::Kind::kUnavailable, "nobody is there");
    }
    const std::unique_ptr<ReportSink> sink = make_local_sink(*coordinator);
    if (luck >= weather_->trouble) {
      return call(*sink);
    }
    switch (luck % 4) {
      case 0:
        throw Refusal(Refusal::Kind::kUnavailable, "lost on its way");
      case 1:
        call(*sink);
        throw Refusal(Refusal::Kind::kUnavailable, "the answer was lost");
      case 2:
        call(*sink);
        return call(*sink);
      default:
        throw Refusal(Refusal::Kind::kResourceExhausted, "too many calls");
    }
  }

 public:
  explicit StormySink(std::shared_ptr<Weather> weather) : weather_(std::move(weather)) {}

  v1::RegisterRunResponse register_run(const v1::RegisterRunRequest& request) override {
    return through([&](ReportSink& sink) { return sink.register_run(request); });
  }
  v1::ReportProgressResponse report_progress(
      std::span<const v1::ReportProgressRequest> reports) override {
    return through([&](ReportSink& sink) { return sink.report_progress(reports); });
  }
  v1::FinishEpochResponse finish_epoch(const v1::FinishEpochRequest& request) override {
    return through([&](ReportSink& sink) { return sink.finish_epoch(request); });
  }
  v1::HeartbeatResponse heartbeat(const v1::HeartbeatRequest& request) override {
    return through([&](ReportSink& sink) { return sink.heartbeat(request); });
  }
  v1::FinishRunResponse finish_run(const v1::FinishRunRequest& request) override {
    return through([&](ReportSink& sink) { return sink.finish_run(request); });
  }
  void cancel() override { weather_->cancelled = true; }

 private:
  std::shared_ptr<Weather> weather_;
};

}  // namespace convoy::dist
