// The ranks of a job, and what they say to each other. One process is a group of one, not a special
// case: everything above works on a Communicator.
#pragma once

#include <cstdint>
#include <span>

namespace convoy::dist {

/// A group of ranks. Collectives are called by every rank of the group in the same order, with
/// spans of the same length; each returns when its result is there, the same on every rank. Not
/// thread safe.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Adds up `values` element by element over all ranks, in place.
  virtual void all_reduce_sum(std::span<float> values) = 0;
  virtual void all_reduce_sum(std::span<double> values) = 0;
  virtual void all_reduce_sum(std::span<std::int64_t> values) = 0;
};

/// The group of one process.
class LocalCommunicator : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_reduce_sum(std::span<float>) override {}
  void all_reduce_sum(std::span<double>) override {}
  void all_reduce_sum(std::span<std::int64_t>) override {}
};

}  // namespace convoy::dist
