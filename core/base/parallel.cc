#include "core/base/parallel.h"

#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/check.h"

namespace convoy {
namespace {

// About ten microseconds: longer than the gap between two layers, shorter than a time slice.
constexpr int kSpins = 400;

thread_local bool inside_parallel_for = false;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until `value` is no longer `old`: spins briefly, then blocks in the kernel.
void wait_for_change(const std::atomic<unsigned>& value, unsigned old) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) {
      return;
    }
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

// Runs one job at a time on a fixed set of threads; thread 0 is the caller.
class ThreadPool {
 public:
  explicit ThreadPool(int threads) {
    for (int thread = 1; thread < threads; ++thread) {
      workers_.emplace_back([this, thread] { work(thread); });
    }
  }

  ~ThreadPool() {
    stopping_ = true;
    announce();
    for (std::thread& worker : workers_) {
      worker.join();
    }
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  void run(std::int64_t count, void* body, void (*call)(void*, std::int64_t, std::int64_t, int)) {
    count_ = count;
    body_ = body;
    call_ = call;
    unfinished_.store(static_cast<unsigned>(workers_.size()), std::memory_order_relaxed);
    announce();
    run_share(0);
    for (unsigned left = unfinished_.load(std::memory_order_acquire); left != 0;
         left = unfinished_.load(std::memory_order_acquire)) {
      wait_for_change(unfinished_, left);
    }
    if (error_) {
      std::rethrow_exception(std::exchange(error_, nullptr));
    }
  }

 private:
  void announce() {
    job_.fetch_add(1, std::memory_order_release);
    job_.notify_all();
  }

  void work(int thread) {
    inside_parallel_for = true;
    for (unsigned seen = 0;;) {
      wait_for_change(job_, seen);
      seen = job_.load(std::memory_order_acquire);
      if (stopping_) {
        return;
      }
      run_share(thread);
      if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        unfinished_.notify_one();
      }
    }
  }

  void run_share(int thread) {
    const std::int64_t begin = count_ * thread / threads();
    const std::int64_t end = count_ * (thread + 1) / threads();
    if (begin == end) {
      return;
    }
    try {
      call_(body_, begin, end, thread);
    } catch (...) {
      const std::lock_guard lock(error_mutex_);
      if (!error_) {
        error_ = std::current_exception();
      }
    }
  }

  std::vector<std::thread> workers_;
  std::atomic<unsigned> job_ = 0;
  std::atomic<unsigned> unfinished_ = 0;
  std::atomic<bool> stopping_ = false;
  std::int64_t count_ = 0;
  void* body_ = nullptr;
  void (*call_)(void*, std::int64_t, std::int64_t, int) = nullptr;
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

int default_threads() {
  if (const char* wish = std::getenv("OMP_NUM_THREADS"); wish != nullptr && *wish != '\0') {
    const int count = std::atoi(wish);
    check(count >= 1, "OMP_NUM_THREADS={}: not a positive number. Correct it or unset it.", wish);
    return count;
  }
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
    return CPU_COUNT(&allowed);
  }
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::unique_ptr<ThreadPool>& pool() {
  static auto instance = std::make_unique<ThreadPool>(default_threads());
  return instance;
}

}  // namespace

int num_threads() {
  return pool()->threads();
}

void set_num_threads(int count) {
  check(count >= 1, "{} threads asked for: at least 1 is needed", count);
  if (pool()->threads() != count) {
    pool() = std::make_unique<ThreadPool>(count);
  }
}

void detail::parallel_for(std::int64_t count, void* body,
                          void (*call)(void*, std::int64_t, std::int64_t, int)) {
  if (count <= 0) {
    return;
  }
  if (inside_parallel_for || count == 1 || pool()->threads() == 1) {
    call(body, 0, count, 0);
    return;
  }
  inside_parallel_for = true;
  try {
    pool()->run(count, body, call);
  } catch (...) {
    inside_parallel_for = false;
    throw;
  }
  inside_parallel_for = false;
}

}  // namespace convoy
