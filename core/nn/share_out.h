// Shares of a matrix for threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/parallel.h"

namespace convoy::nn {

/// Calls body(first, count, thread) for each thread's part of [0, size) columns or rows: whole
/// cache lines of floats, so that each thread has its own.
template <typename Body>
void share_out(std::int64_t size, const Body& body) {
  constexpr std::int64_t kLine = 16;
  parallel_shares((size + kLine - 1) / kLine,
                  [&](std::int64_t begin, std::int64_t end, int thread) {
                    body(begin * kLine, std::min(end * kLine, size) - begin * kLine, thread);
                  });
}

}  // namespace convoy::nn
