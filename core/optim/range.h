// How an optimizer walks over its part of the flat buffers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/optim/optimizer.h"

namespace convoy::optim {

/// Throws Error unless `update` may be called so by an optimizer that owns `elements` values.
inline void check_range(const Optimizer& optimizer, std::span<const float> values,
                        std::span<const float> gradients, std::int64_t offset,
                        std::int64_t elements) {
  // describe() allocates, so it is only asked for when something is wrong.
  const auto size = static_cast<std::int64_t>(values.size());
  if (optimizer.step() < 1) {
    fail("{}: update before the first begin_step", optimizer.describe());
  }
  if (values.size() != gradients.size()) {
    fail("{}: {} values but {} gradients", optimizer.describe(), values.size(), gradients.size());
  }
  if (offset < 0 || offset > elements || size > elements - offset) {
    fail("{}: elements {} to {} are outside of its {} elements", optimizer.describe(), offset,
         offset + size, elements);
  }
}

/// Calls `body(begin, count)`, in parallel, for disjoint chunks that cover [0, size). A chunk keeps
/// a core busy for some microseconds; it begins at a multiple of a cache line.
template <typename Body>
void for_each_chunk(std::size_t size, const Body& body) {
  constexpr std::size_t kChunk = 4096;
  const std::size_t chunks = (size + kChunk - 1) / kChunk;
  parallel_for(static_cast<std::int64_t>(chunks), [&](std::int64_t first, std::int64_t last, int) {
    const std::size_t begin = static_cast<std::size_t>(first) * kChunk;
    body(begin, std::min(static_cast<std::size_t>(last) * kChunk, size) - begin);
  });
}

}  // namespace convoy::optim
