// Which checkpoints of a run are kept. Here is the decision alone, without files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace convoy::launcher {

/// How many checkpoints to keep: the newest, and besides them those of the best epochs.
struct Retention {
  int last = 2;  ///< at least 1
  int best = 1;
};

/// A good checkpoint, as far as keeping it is concerned.
struct KeptCheckpoint {
  struct Score {
    double accuracy = 0.0;  ///< on the test images
    double loss = 0.0;
  };
  std::int64_t step = 0;
  std::optional<Score> score = {};  ///< if it was taken after an epoch, that epoch's
};

/// The steps of those that may be deleted, in ascending order: all but the `last` newest and the
/// `best` with the highest accuracy (of equal ones the lower loss, then the newer; a NaN is worst).
/// The newest one is never among them. No step is given twice.
std::vector<std::int64_t> superfluous(std::span<const KeptCheckpoint> checkpoints,
                                      const Retention& retention);

}  // namespace convoy::launcher
