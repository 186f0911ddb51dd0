// Layers one after the other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/nn/module.h"

namespace convoy::nn {

/// Runs its layers in order, some of them in one go where a layer can (Module::forward_through). A
/// layer's name is the first part of its parameters' names.
class Sequential : public Module {
 public:
  struct Layer {
    std::string name;
    std::unique_ptr<Module> module;
  };

  /// Throws Error if a layer of that name is there already.
  void add(std::string name, std::unique_ptr<Module> module);
  const std::vector<Layer>& layers() const { return layers_; }

  Variable forward(Tape& tape, const Variable& x) override;
  Shape output_shape(const Shape& x) const override;
  std::string describe() const override;

 private:
  std::vector<Layer> layers_;
  std::vector<Module*> modules_;  // of the layers
};

}  // namespace convoy::nn
