// Threads of one process: a small pool that splits a range of independent items.
//
// Waiting blocks after a short bounded spin, so a busy neighbour costs its share and no more. What
// an item computes must not depend on how the range was split: then results have the same bits for
// any number of threads, which is what convoy promises.
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
void parallel_for(std::int64_t count, void* body,
                  void (*call)(void* body, std::int64_t begin, std::int64_t end, int thread));
}  // namespace detail

/// Calls `body(begin, end, thread)` for disjoint ranges that cover [0, count), one call per thread
/// at most; `thread` is in [0, num_threads()). Returns when all are done. The first exception is
/// rethrown. A call from inside a body runs on the calling thread alone.
template <typename Body>
void parallel_for(std::int64_t count, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  detail::parallel_for(count, &body,
                       [](void* erased, std::int64_t begin, std::int64_t end, int thread) {
                         (*static_cast<Plain*>(erased))(begin, end, thread);
                       });
}

}  // namespace convoy
