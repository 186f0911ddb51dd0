// Threads for work that waits: made when needed, as many as allowed, kept until the end.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace convoy::dist {

class WorkerPool {
 public:
  explicit WorkerPool(int max_threads) : max_threads_(max_threads) {}
  /// Carries out what was handed over.
  ~WorkerPool() { finish(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Hands over `task`, which must not throw; waits while all threads are busy. For one caller.
  void run(std::function<void()> task);
  /// Returns when every task has.
  void finish();

 private:
  void work();

  const int max_threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  int busy_ = 0;  ///< threads that carry out a task, and tasks handed over
  bool finished_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace convoy::dist
