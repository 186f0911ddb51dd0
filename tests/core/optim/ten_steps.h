// The ten updates that adam_test and sgd_test compare with PyTorch, and runs over random data that
// show what the bits depend on.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/optim/optimizer.h"

namespace convoy::optim::testing {

/// Eight values after ten steps with lr 0.01. `gradient_scale` must change nothing: the gradients
/// are divided by it (a power of two) beforehand.
inline std::vector<float> after_ten_steps(Optimizer& optimizer, float gradient_scale = 1.0F) {
  std::vector<float> values(8);
  std::vector<float> gradients(8);
  for (int k = 0; k < 8; ++k) {
    values[k] = (static_cast<float>(k) - 4.0F) * 0.375F;
  }
  for (int step = 0; step < 10; ++step) {
    for (int k = 0; k < 8; ++k) {
      const float sign = k % 2 == 0 ? 1.0F : -1.0F;
      gradients[k] =
          ((static_cast<float>(k) - 3.5F) * 0.25F + 0.125F * static_cast<float>(step) * sign) /
          gradient_scale;
    }
    optimizer.begin_step();
    optimizer.update(values, gradients, 0, {.lr = 0.01, .gradient_scale = gradient_scale});
  }
  return values;
}

inline void expect_close(std::span<const float> actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1.2e-7F * std::max(1.0F, std::abs(expected[i])))
        << "element " << i;
  }
}

inline std::vector<float> random_values(std::size_t count, std::uint32_t sample) {
  RandomSequence random({.seed = 7, .sample = sample});
  std::vector<float> values(count);
  for (float& value : values) {
    value = random.uniform(-1.0F, 1.0F);
  }
  return values;
}

/// The bits of 10001 values after three steps, each cut into ranges that end at `cuts`.
inline std::vector<float> after_three_steps(Optimizer& optimizer, int threads,
                                            const std::vector<std::size_t>& cuts) {
  const int threads_before = num_threads();
  set_num_threads(threads);
  std::vector<float> values = random_values(10001, 0);
  for (std::uint32_t step = 1; step <= 3; ++step) {
    const std::vector<float> gradients = random_values(values.size(), step);
    optimizer.begin_step();
    std::size_t begin = 0;
    for (const std::size_t end : cuts) {
      optimizer.update(std::span(values).subspan(begin, end - begin),
                       std::span(gradients).subspan(begin, end - begin),
                       static_cast<std::int64_t>(begin), {.lr = 0.01, .gradient_scale = 1.0 / 3});
      begin = end;
    }
  }
  set_num_threads(threads_before);
  return values;
}

/// A number that differs when any bit of `values` does (FNV-1a).
inline std::uint64_t digest(std::span<const float> values) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const float value : values) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    hash = (hash ^ bits) * 0x100000001b3;
  }
  return hash;
}

}  // namespace convoy::optim::testing
