// A data set that needs no file: hand-drawn-looking digits, for a first run, tests and machines
// without network.
#pragma once

#include <cstdint>

#include "core/data/dataset.h"

namespace convoy::data {

struct SyntheticOptions {
  Split split = Split::kTrain;
  std::int64_t size = 0;   ///< images; 0 stands for 10,000 to train, 2,000 to test
  std::uint64_t seed = 0;  ///< of the drawings; independent of the seed of training
};

/// Draws 28 x 28 grey digits with their labels: several ways to write each, bent, slanted, turned,
/// moved, with pens of different width, stray marks and noise. Image `id` is a function of (seed,
/// split, id) alone and has the same bits on every machine; the splits draw on disjoint ranges of
/// random numbers. Throws Error for an impossible size.
Dataset draw_synthetic(const SyntheticOptions& options);

}  // namespace convoy::data
