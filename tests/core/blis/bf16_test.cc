#include "core/blis/bf16.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/tensor/tensor.h"
#include "tests/support/layer_run.h"

namespace convoy::blis {
namespace {

float widened(Bf16 bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

class Bf16Test : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!bf16_supported()) {
      GTEST_SKIP() << "needs AVX512-BF16";
    }
  }
};

std::vector<float> rounded(const std::vector<float>& values) {
  std::vector<Bf16> bits(values.size() + 1);
  bf16_round_rows({.rows = 1,
                   .columns = static_cast<std::int64_t>(values.size()),
                   .from = values.data(),
                   .to = bits.data()});
  std::vector<float> result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.push_back(widened(bits[i]));
  }
  return result;
}

TEST_F(Bf16Test, RoundsToNearestEven) {
  const float step = std::ldexp(1.0F, -7);
  EXPECT_EQ(rounded({1 + step / 2, 1 + 3 * step / 2, -(1 + step / 2), 1 + step * 0.51F,
                     1 + step * 0.49F, 0.0F, 3.0e38F}),
            (std::vector<float>{1, 1 + 2 * step, -1, 1 + step, 1, 0.0F, widened(0x7F62)}));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(rounded({infinity, -infinity}), (std::vector<float>{infinity, -infinity}));
  EXPECT_TRUE(std::isnan(rounded({std::nanf("")})[0]));
}

TEST_F(Bf16Test, RowsOfOddLengthEndWithAZeroAndTouchNothingBehind) {
  for (const std::int64_t columns : {1, 15, 16, 17, 31, 32, 33, 47, 65}) {
    const Tensor from = testing::random_tensor({3, columns});
    const std::int64_t even = (columns + 1) / 2 * 2;
    std::vector<Bf16> to(static_cast<std::size_t>(3 * (even + 1)), Bf16{77});
    bf16_round_rows({.rows = 3,
                     .columns = columns,
                     .from = from.data(),
                     .from_stride = columns,
                     .to = to.data(),
                     .to_stride = even + 1});
    for (std::int64_t i = 0; i < 3 * (even + 1); ++i) {
      const std::int64_t column = i % (even + 1);
      const Bf16 bits = to[static_cast<std::size_t>(i)];
      if (column < columns) {
        const float value = from.data()[i / (even + 1) * columns + column];
        ASSERT_NEAR(widened(bits), value, std::abs(value) / 256) << columns << " " << i;
      } else {
        ASSERT_EQ(bits, column < even ? 0 : 77) << columns << " columns, at " << i;
      }
    }
  }
}

TEST_F(Bf16Test, PairsOfRowsLieSideBySide) {
  for (const std::int64_t rows : {1, 2, 5}) {
    for (const std::int64_t columns : {1, 16, 37}) {
      const Tensor from = testing::random_tensor({rows, columns});
      const std::int64_t pairs = (rows + 1) / 2;
      std::vector<Bf16> to(static_cast<std::size_t>(pairs * columns * 2 + 1), Bf16{77});
      bf16_round_pairs({.rows = rows,
                        .columns = columns,
                        .from = from.data(),
                        .from_stride = columns,
                        .to = to.data(),
                        .to_stride = 2 * columns});
      EXPECT_EQ(to.back(), 77);
      for (std::int64_t i = 0; i < pairs * columns * 2; ++i) {
        const std::int64_t row = i / (2 * columns) * 2 + i % 2;
        const float value = row < rows ? from.data()[row * columns + i % (2 * columns) / 2] : 0.0F;
        ASSERT_NEAR(widened(to[static_cast<std::size_t>(i)]), value, std::abs(value) / 256);
      }
    }
  }
}

struct Operands {
  Operands(std::int64_t m, std::int64_t n, std::int64_t k)
      : even((k + 1) / 2 * 2),
        a(testing::random_tensor({m, k}, 1)),
        b(testing::random_tensor({k, n}, 2)),
        a_bits(static_cast<std::size_t>(m * even)),
        b_bits(static_cast<std::size_t>(even * n)) {
    bf16_round_rows({.rows = m,
                     .columns = k,
                     .from = a.data(),
                     .from_stride = k,
                     .to = a_bits.data(),
                     .to_stride = even});
    bf16_round_pairs({.rows = k,
                      .columns = n,
                      .from = b.data(),
                      .from_stride = n,
                      .to = b_bits.data(),
                      .to_stride = 2 * n});
  }
  Bf16Product product(float* c) const {
    const std::int64_t n = b.shape()[1];
    return {.m = a.shape()[0],
            .n = n,
            .pairs = even / 2,
            .a = a_bits.data(),
            .a_row_stride = even,
            .b = b_bits.data(),
            .b_pair_stride = 2 * n,
            .c = c,
            .c_row_stride = n};
  }

  std::int64_t even;
  Tensor a;
  Tensor b;
  std::vector<Bf16> a_bits;
  std::vector<Bf16> b_bits;
};

TEST_F(Bf16Test, MultipliesTheRoundedOperands) {
  for (const std::int64_t m : {1, 7, 14, 15, 30}) {
    for (const std::int64_t n : {1, 16, 17, 32, 33, 70}) {
      for (const std::int64_t k : {1, 2, 9, 64}) {
        const Operands in(m, n, k);
        Tensor c({m, n});
        bf16_multiply(in.product(c.data()));
        for (std::int64_t i = 0; i < m * n; ++i) {
          double sum = 0;
          double size = 0;
          for (std::int64_t j = 0; j < k; ++j) {
            const std::int64_t column = i % n;
            const auto product =
                static_cast<double>(
                    widened(in.a_bits[static_cast<std::size_t>(i / n * in.even + j)])) *
                static_cast<double>(widened(
                    in.b_bits[static_cast<std::size_t>(j / 2 * 2 * n + 2 * column + j % 2)]));
            sum += product;
            size += std::abs(product);
          }
          ASSERT_NEAR(c.data()[i], sum, 1e-5 * size) << m << " x " << n << " x " << k << ", " << i;
        }
      }
    }
  }
}

TEST_F(Bf16Test, StartsWhereItIsToldAndBitsDoNotDependOnCuts) {
  const Operands in(20, 40, 128);
  const Tensor bias = testing::random_tensor({40}, 3);
  Tensor whole({20, 40});
  Bf16Product product = in.product(whole.data());
  product.bias = bias.data();
  bf16_multiply(product);
  Tensor parts({20, 40});
  product.c = parts.data();
  product.pairs = kBf16Pairs;
  bf16_multiply(product);
  product.accumulate = true;
  product.batch = 3;  // the rest
  product.a += 2 * kBf16Pairs;
  product.a_batch_stride = 2 * kBf16Pairs;
  product.b += kBf16Pairs * product.b_pair_stride;
  product.b_batch_stride = kBf16Pairs * product.b_pair_stride;
  product.m = 3;
  bf16_multiply(product);
  product.a += 3 * product.a_row_stride;
  product.c += 3 * product.c_row_stride;
  product.m = 17;
  bf16_multiply(product);
  EXPECT_EQ(testing::copy_of(whole), testing::copy_of(parts));
  EXPECT_NEAR(
      whole.data()[0] - bias.data()[0],
      [&] {
        Tensor plain({20, 40});
        bf16_multiply(in.product(plain.data()));
        return plain.data()[0];
      }(),
      1e-4);
}

}  // namespace
}  // namespace convoy::blis
