// A layer, or a model made of layers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/autograd/parameter.h"
#include "core/autograd/tape.h"

namespace convoy::nn {

/// Base of every layer. A layer owns its Parameters and registers them by PyTorch's names in its
/// constructor; a ParameterStore gives them memory before the first forward:
///
///   nn::Sequential model;
///   model.add("conv", std::make_unique<nn::Conv2d>(nn::Conv2dOptions{...}));
///   ParameterStore store(model.named_parameters(), /*seed=*/0);
///
/// Errors: constructors and forward throw Error, with the numbers, for what PyTorch refuses.
/// `forward` of one module is not to be called from two threads at once.
class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  /// Activations of images have shape (N, H, W, C).
  virtual Variable forward(Tape& tape, const Variable& x) = 0;

  /// `forward`, and then as many of `rest`, the layers after this one, as it can take over and do
  /// better in one go; those it drops from the front of `rest`. Values have the same bits either
  /// way; gradients are the same sums, perhaps added in another order. By default it takes none.
  virtual Variable forward_through(Tape& tape, const Variable& x, std::span<Module* const>& rest);

  /// The shape `forward` gives for an input of shape `x`; throws what forward would throw.
  virtual Shape output_shape(const Shape& x) const = 0;

  /// As PyTorch prints it: "Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))".
  virtual std::string describe() const = 0;

  /// All parameters and buffers of this module and those in it, in order of registration, with
  /// their state_dict names.
  std::vector<NamedParameter> named_parameters(const std::string& prefix = "");

 protected:
  void register_parameter(std::string name, Parameter& parameter);
  /// An empty name is left out of the parameters' names.
  void register_module(std::string name, Module& module);

 private:
  struct Child {
    std::string name;
    Parameter* parameter;  // one of the two is set
    Module* module;
  };
  std::vector<Child> children_;
};

}  // namespace convoy::nn
