// The thread that saves what a RunBook says has changed: many callers' changes in one transaction.
// It commits at once when idle; while it does, the next group gathers.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dist/coordinator/book/run_book.h"
#include "dist/coordinator/store/store.h"

namespace convoy::dist {

/// Owns the lock over the book. Thread safe.
class Committer {
 public:
  using Done = std::function<void(std::exception_ptr)>;
  struct Parts {
    RunBook& book;
    Store& store;
    std::function<Time()> clock;
    /// Told the names of runs that changed, on the committing thread.
    std::function<void(const std::string& run)> changed;
  };

  explicit Committer(Parts parts);
  /// Commits what was told before.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Runs `tell(book, now)`, which may throw, under the lock; after it `done` will be called.
  /// Throws Refusal::kUnavailable while the store does not take anything.
  template <typename Tell>
  auto tell(Done done, const Tell& tell) {
    const std::lock_guard lock(mutex_);
    check_available();
    return told(std::move(done), tell);
  }
  /// The same, after everything from before has been saved: for what asks for history.
  template <typename Tell>
  auto tell_after_saving(Done done, const Tell& tell) {
    const std::lock_guard saving(saving_);
    const std::lock_guard lock(mutex_);
    check_available();
    save_now();
    return told(std::move(done), tell);
  }
  /// Runs `ask(book, now)` under the lock.
  template <typename Ask>
  auto ask(const Ask& ask) {
    const std::lock_guard lock(mutex_);
    return ask(static_cast<const RunBook&>(parts_.book), parts_.clock());
  }

 private:
  template <typename Tell>
  auto told(Done done, const Tell& tell) {
    auto answer = tell(parts_.book, parts_.clock());
    waiting_.push_back(std::move(done));
    wake_.notify_one();
    return answer;
  }
  void check_available() const;
  void save_now();
  void run();
  void tick();
  bool commit();

  Parts parts_;
  std::mutex saving_;  // held from taking changes to having saved them; taken before mutex_
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Done> waiting_;
  std::string failure_;             // why the store takes nothing; empty: it does
  std::optional<Changes> unsaved_;  // what it did not take; guarded by saving_
  Time last_tick_;
  bool stopping_ = false;
  std::thread thread_;  // last, for it uses the others
};

}  // namespace convoy::dist
