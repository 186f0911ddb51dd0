// Threads of one process: a small pool that splits a range of independent items.
//
// Waiting blocks after a bounded spin. What an item computes must not depend on how the range was
// split: then results have the same bits for any number of threads, which is what convoy promises.
#pragma once

#include <cstdint>
#include <type_traits>

namespace convoy {

/// Threads that parallel_for uses, the caller included. Default: OMP_NUM_THREADS if set, otherwise
/// the cores this process may run on.
int num_threads();

/// Sets it; at least 1. Not to be called while a parallel_for runs.
void set_num_threads(int count);

namespace detail {
struct Job {
  std::int64_t count;
  void* body;
  void (*call)(void* body, std::int64_t begin, std::int64_t end, int thread);
  bool even;
};
void run_in_parallel(const Job& job);

template <typename Body>
void run_in_parallel(std::int64_t count, Body& body, bool even) {
  const auto call = [](void* erased, std::int64_t begin, std::int64_t end, int thread) {
    (*static_cast<Body*>(erased))(begin, end, thread);
  };
  run_in_parallel(Job{.count = count, .body = &body, .call = call, .even = even});
}
}  // namespace detail

/// Calls `body(begin, end, thread)` for disjoint ranges that cover [0, count); `thread` is in
/// [0, num_threads()). A thread takes another range as soon as it has done one, large ones first,
/// so that one whose core is slower does less. Returns when all are done. The first exception is
/// rethrown. A call from inside a body runs on the calling thread alone.
template <typename Body>
void parallel_for(std::int64_t count, Body&& body) {
  detail::run_in_parallel(count, body, false);
}

/// The same with one call per thread at most, all of even size: for a body that has much to do in
/// each call, however small the range.
template <typename Body>
void parallel_shares(std::int64_t count, Body&& body) {
  detail::run_in_parallel(count, body, true);
}

}  // namespace convoy
