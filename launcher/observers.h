// Several listeners to one training.
#pragma once

#include <utility>
#include <vector>

#include "dist/observer.h"

namespace convoy::launcher {

/// Tells each of them what happens, in their order; one of them that asks for a stop is enough.
/// They must outlive it.
class Observers : public dist::Observer {
 public:
  explicit Observers(std::vector<dist::Observer*> all) : all_(std::move(all)) {}

  void add(dist::Observer& one) { all_.push_back(&one); }

  void on_epoch_begin(std::int64_t epoch, std::int64_t images) override {
    each([&](Observer& one) { one.on_epoch_begin(epoch, images); });
  }
  void on_step(const dist::StepResult& step) override {
    each([&](Observer& one) { one.on_step(step); });
  }
  void on_test_begin(std::int64_t images) override {
    each([&](Observer& one) { one.on_test_begin(images); });
  }
  void on_test_batch(const dist::Metrics& so_far) override {
    each([&](Observer& one) { one.on_test_batch(so_far); });
  }
  void on_epoch_end(const dist::EpochResult& result) override {
    each([&](Observer& one) { one.on_epoch_end(result); });
  }
  void on_checkpoint(const dist::Snapshot& snapshot) override {
    each([&](Observer& one) { one.on_checkpoint(snapshot); });
  }
  void on_note(const std::string& text) override {
    each([&](Observer& one) { one.on_note(text); });
  }
  bool stop_requested() override {
    bool any = false;
    each([&](Observer& one) { any = one.stop_requested() || any; });
    return any;
  }

 private:
  template <typename Call>
  void each(Call call) {
    for (Observer* one : all_) {
      call(*one);
    }
  }

  std::vector<dist::Observer*> all_;
};

}  // namespace convoy::launcher
