#include "dist/coordinator/web/worker_pool.h"

#include <utility>

namespace convoy::dist {

void WorkerPool::run(std::function<void()> task) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return busy_ < max_threads_; });
  ++busy_;
  tasks_.push_back(std::move(task));
  if (busy_ > static_cast<int>(threads_.size())) {
    threads_.emplace_back([this] { work(); });
  }
  changed_.notify_all();
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !tasks_.empty() || finished_; });
    if (tasks_.empty()) {
      return;
    }
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
    --busy_;
    changed_.notify_all();
  }
}

void WorkerPool::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

}  // namespace convoy::dist
