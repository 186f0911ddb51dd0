// How gradients travel between ranks; speed only (but for bf16).
#pragma once

#include <cstdint>

namespace convoy::dist {

/// When buckets of the gradient are reduced.
enum class Overlap {
  kAuto,    ///< the first steps try the others in turn, and the fastest stays
  kOff,     ///< after backward
  kPoll,    ///< during backward, moved on each time a parameter's gradient is ready
  kThread,  ///< during backward, by a thread of its own
};

struct ReduceOptions {
  std::int64_t bucket_bytes = std::int64_t{1} << 20;  ///< of the flat gradient buffer
  Overlap overlap = Overlap::kAuto;
  /// Sends gradients as bfloat16, half the bytes, and carries what rounding took over to the next
  /// step (error feedback).
  bool bf16 = false;
};

}  // namespace convoy::dist
