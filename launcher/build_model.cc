#include "launcher/build_model.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "core/base/check.h"
#include "launcher/model_layers.h"
#include "launcher/model_rules.h"
#include "launcher/summary.h"

namespace convoy::launcher {
namespace {

std::string bytes_str(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) {
    amount /= 1024;
  }
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

// Adds up what training needs, in 128 bits: a Shape holds up to 2^62 elements, a model 1000 layers.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  void add(nn::Module& layer, const Shape& output) {
    for (const NamedParameter& named : layer.named_parameters()) {
      // Value, gradient and Adam's two moments.
      const unsigned copies = named.parameter->trainable() ? 4 : 1;
      parameters_ += Bytes(named.parameter->shape().elements()) * copies * sizeof(float);
    }
    outputs_ += Bytes(output.elements()) * sizeof(float);
    check(parameters_ + outputs_ <= limit_bytes_,
          "up to this layer, training needs {} of memory ({} for parameters, {} for the outputs of "
          "one batch of {}); this machine has {}",
          str(parameters_ + outputs_), str(parameters_), str(outputs_), output[0],
          str(limit_bytes_));
  }

 private:
  __extension__ using Bytes = unsigned __int128;

  static std::string str(Bytes bytes) {
    return bytes >> 64 != 0 ? "16 EiB or more" : bytes_str(static_cast<std::uint64_t>(bytes));
  }

  std::uint64_t limit_bytes_;
  Bytes parameters_ = 0;
  Bytes outputs_ = 0;
};

}  // namespace

std::uint64_t machine_memory_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::unique_ptr<nn::Sequential> build_model(const ModelSpec& spec, const Shape& batch, int classes,
                                            const BuildOptions& options) {
  check(batch.rank() == 4, "build_model: {} is not the shape of a batch of images", batch.str());
  nn::check_precision(options.precision);
  auto model = std::make_unique<nn::Sequential>();
  MemoryBudget budget(options.memory_bytes);
  Shape x = batch;
  for (int i = 0; i < spec.model.layer_size(); ++i) {
    const v1::Layer& layer = spec.model.layer(i);
    // Not to handle the error but to say where it is: core knows neither file nor layer's name.
    try {
      std::unique_ptr<nn::Module> module =
          make_layer(layer, x, {.position = i, .precision = options.precision});
      x = module->output_shape(x);
      budget.add(*module, x);
      model->add(layer.name(), std::move(module));
    } catch (const Error& error) {
      fail("{}: layer '{}' ({}): {}", spec.layer_places[static_cast<std::size_t>(i)], layer.name(),
           kind_name(layer), error.what());
    }
  }
  const auto last = spec.model.layer_size() - 1;
  check(x == Shape{batch.n(), classes},
        "{}: layer '{}' ({}) is the last and gives {}; the data has {} classes, so it must give {} "
        "features",
        spec.layer_places[static_cast<std::size_t>(last)], spec.model.layer(last).name(),
        kind_name(spec.model.layer(last)),
        x.rank() == 2 ? fmt::format("{} features", x[1]) : fmt::format("an image {}", image_str(x)),
        classes, classes);
  return model;
}

}  // namespace convoy::launcher
