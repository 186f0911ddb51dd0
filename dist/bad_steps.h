// What becomes of a step whose loss or gradient is not a number: training stops, goes on without
// it, or goes back to the weights of the last checkpoint. All ranks come to the same decision, for
// they all know the same sums.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/autograd/parameter.h"
#include "core/optim/optimizer.h"

namespace convoy::dist {

enum class OnNan {
  kStop,      ///< throw Error
  kSkip,      ///< leave out the step's update and go on
  kRollBack,  ///< go back to the weights of the last checkpoint and on with the next batch
};

class BadSteps {
 public:
  /// Store and optimizer must outlive this.
  BadSteps(OnNan policy, ParameterStore& store, optim::Optimizer& optimizer)
      : policy_(policy), store_(store), optimizer_(optimizer) {}

  /// Keeps what later calls need: before a step (its forward moves running statistics), and where
  /// training begins or a checkpoint is taken.
  void before_step();
  void at_checkpoint();

  void good();
  /// `where` is the beginning of a message. Returns what was done, in words, or throws Error: as
  /// the policy says, or because more than about every tenth step of late was bad.
  std::string bad(const std::string& where);

 private:
  OnNan policy_;
  ParameterStore& store_;
  optim::Optimizer& optimizer_;
  std::vector<float> buffers_;
  std::vector<float> values_;
  std::vector<std::vector<float>> optimizer_state_;
  std::int64_t optimizer_step_ = 0;
  int strain_ = 0;  // up with every bad step, slowly down with good ones
};

}  // namespace convoy::dist
