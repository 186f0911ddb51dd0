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

// Before a thread blocks; some hundred microseconds, which is shorter than a time slice. (Ice Lake,
// batch 256, 2 threads: 1.14 times the speed of 400 spins, which are left if threads share cores.)
constexpr int kSpins = 8000;
constexpr int kSpinsOfTooManyThreads = 400;

// The smallest range is such a part of an even share: each has to be taken and begun.
constexpr std::int64_t kPartsOfShare = 16;

thread_local bool inside_parallel_for = false;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

int cores() {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof(allowed), &allowed) == 0
             ? CPU_COUNT(&allowed)
             : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

// Waits until `value` is no longer `old`: spins briefly, then blocks in the kernel.
void wait_for_change(const std::atomic<unsigned>& value, unsigned old, int spins) {
  for (int spin = 0; spin < spins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) {
      return;
    }
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

using detail::Job;

// Runs one job at a time on a fixed set of threads; thread 0 is the caller.
class ThreadPool {
 public:
  explicit ThreadPool(int threads) : spins_(threads <= cores() ? kSpins : kSpinsOfTooManyThreads) {
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

  void run(const Job& job) {
    job_ = job;
    next_.store(0, std::memory_order_relaxed);
    unfinished_.store(static_cast<unsigned>(workers_.size()), std::memory_order_relaxed);
    announce();
    run_share(0);
    for (unsigned left = unfinished_.load(std::memory_order_acquire); left != 0;
         left = unfinished_.load(std::memory_order_acquire)) {
      wait_for_change(unfinished_, left, spins_);
    }
    if (error_) {
      std::rethrow_exception(std::exchange(error_, nullptr));
    }
  }

 private:
  void announce() {
    jobs_.fetch_add(1, std::memory_order_release);
    jobs_.notify_all();
  }

  void work(int thread) {
    inside_parallel_for = true;
    for (unsigned seen = 0;;) {
      wait_for_change(jobs_, seen, spins_);
      seen = jobs_.load(std::memory_order_acquire);
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
    try {
      if (job_.even) {
        const std::int64_t begin = job_.count * thread / threads();
        const std::int64_t end = job_.count * (thread + 1) / threads();
        if (begin < end) {
          job_.call(job_.body, begin, end, thread);
        }
        return;
      }
      for (Range range = take(); range.begin < range.end; range = take()) {
        job_.call(job_.body, range.begin, range.end, thread);
      }
    } catch (...) {
      const std::lock_guard lock(error_mutex_);
      if (!error_) {
        error_ = std::current_exception();
      }
    }
  }

  struct Range {
    std::int64_t begin;
    std::int64_t end;
  };
  // The next range of the job: a part of what is left, so that the last ones are small.
  Range take() {
    const std::int64_t least = std::max<std::int64_t>(job_.count / (kPartsOfShare * threads()), 1);
    std::int64_t begin = next_.load(std::memory_order_relaxed);
    for (;;) {
      const std::int64_t left = job_.count - begin;
      const std::int64_t size = std::min(std::max(left / (2 * threads()), least), left);
      if (size == 0 ||
          next_.compare_exchange_weak(begin, begin + size, std::memory_order_relaxed)) {
        return {begin, begin + size};
      }
    }
  }

  std::vector<std::thread> workers_;
  int spins_;
  std::atomic<unsigned> jobs_ = 0;  // that were announced
  std::atomic<unsigned> unfinished_ = 0;
  std::atomic<bool> stopping_ = false;
  Job job_ = {};
  std::atomic<std::int64_t> next_ = 0;  // item of the job that nobody has taken
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

int default_threads() {
  if (const char* wish = std::getenv("OMP_NUM_THREADS"); wish != nullptr && *wish != '\0') {
    const int count = std::atoi(wish);
    check(count >= 1, "OMP_NUM_THREADS={}: not a positive number. Correct it or unset it.", wish);
    return count;
  }
  return cores();
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

void detail::run_in_parallel(const Job& job) {
  if (job.count <= 0) {
    return;
  }
  if (inside_parallel_for || job.count == 1 || pool()->threads() == 1) {
    job.call(job.body, 0, job.count, 0);
    return;
  }
  inside_parallel_for = true;
  try {
    pool()->run(job);
  } catch (...) {
    inside_parallel_for = false;
    throw;
  }
  inside_parallel_for = false;
}

}  // namespace convoy
