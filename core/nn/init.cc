#include "core/nn/init.h"

#include <cmath>

namespace convoy::nn {
namespace {

Initializer normal(double deviation) {
  return [deviation](Tensor& value, RandomSequence& random) {
    for (float& element : value.values()) {
      element = static_cast<float>(deviation) * random.normal();
    }
  };
}

double kaiming_deviation(Fan fan, double a) {
  return std::sqrt(2.0 / (1.0 + a * a) / static_cast<double>(fan.in));
}

double xavier_deviation(Fan fan, double gain) {
  return gain * std::sqrt(2.0 / static_cast<double>(fan.in + fan.out));
}

}  // namespace

Initializer uniform(double bound) {
  return [bound](Tensor& value, RandomSequence& random) {
    for (float& element : value.values()) {
      element = random.uniform(static_cast<float>(-bound), static_cast<float>(bound));
    }
  };
}

Initializer constant(float number) {
  return [number](Tensor& value, RandomSequence&) { value.fill(number); };
}

// A uniform distribution of +-b has a standard deviation of b / sqrt(3).
Initializer xavier_uniform(Fan fan, double gain) {
  return uniform(std::sqrt(3.0) * xavier_deviation(fan, gain));
}
Initializer xavier_normal(Fan fan, double gain) {
  return normal(xavier_deviation(fan, gain));
}
Initializer kaiming_uniform(Fan fan, double a) {
  return uniform(std::sqrt(3.0) * kaiming_deviation(fan, a));
}
Initializer kaiming_normal(Fan fan, double a) {
  return normal(kaiming_deviation(fan, a));
}

}  // namespace convoy::nn
