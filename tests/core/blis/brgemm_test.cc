#include "core/blis/brgemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/base/random.h"

namespace convoy::blis {
namespace {

std::vector<float> random_values(std::int64_t count, std::uint64_t seed) {
  RandomSequence random({.seed = seed});
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = random.uniform(-1.0F, 1.0F);
  }
  return values;
}

// Strides with gaps between rows and between products, so that a kernel that ignores one is caught.
struct Problem {
  Brgemm call;
  std::vector<float> a, b, c, bias;

  Problem(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch, bool transposed) {
    call = {.m = m, .n = n, .k = k, .batch = batch, .b_row_stride = n + 3, .c_row_stride = n + 5};
    call.a_row_stride = transposed ? 1 : k + 2;
    call.a_column_stride = transposed ? m + 1 : 1;
    call.a_batch_stride = transposed ? k * (m + 1) + 4 : m * (k + 2) + 4;
    call.b_batch_stride = k * (n + 3) + 7;
    a = random_values(batch * call.a_batch_stride, 1);
    b = random_values(batch * call.b_batch_stride, 2);
    c = random_values(m * call.c_row_stride, 3);
    bias = random_values(n, 4);
    call.a = a.data();
    call.b = b.data();
    call.c = c.data();
  }

  double expected(std::int64_t row, std::int64_t column, double start) const {
    for (std::int64_t i = 0; i < call.batch; ++i) {
      for (std::int64_t k = 0; k < call.k; ++k) {
        start +=
            static_cast<double>(call.a[i * call.a_batch_stride + row * call.a_row_stride +
                                       k * call.a_column_stride]) *
            static_cast<double>(call.b[i * call.b_batch_stride + k * call.b_row_stride + column]);
      }
    }
    return start;
  }
};

using Sizes = std::tuple<int, int, int, int>;
class BrgemmTest : public ::testing::TestWithParam<Sizes> {};

TEST_P(BrgemmTest, AddsUpTheBatchAndTouchesNothingElse) {
  const auto [m, n, k, batch] = GetParam();
  for (const bool transposed : {false, true}) {
    for (const int start : {0, 1, 2}) {
      Problem problem(m, n, k, batch, transposed);
      const std::vector<float> before = problem.c;
      problem.call.accumulate = start == 1;
      problem.call.bias = start == 2 ? problem.bias.data() : nullptr;
      brgemm_kernel()(problem.call);
      for (std::int64_t row = 0; row < m; ++row) {
        for (std::int64_t column = 0; column < problem.call.c_row_stride; ++column) {
          const auto at = static_cast<std::size_t>(row * problem.call.c_row_stride + column);
          if (column >= n) {
            ASSERT_EQ(problem.c[at], before[at]) << "gap overwritten at " << row << "," << column;
            continue;
          }
          const double first =
              start == 0
                  ? 0.0
                  : static_cast<double>(
                        start == 1 ? before[at] : problem.bias[static_cast<std::size_t>(column)]);
          ASSERT_NEAR(problem.c[at], problem.expected(row, column, first), 2e-7 * (k * batch + 10))
              << row << "," << column;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, BrgemmTest,
                         ::testing::Combine(::testing::Values(1, 2, 6, 7, 9, 12, 13, 28, 43),
                                            ::testing::Values(1, 3, 4, 8, 10, 16, 17, 31, 32, 33,
                                                              48, 49, 63, 64, 70),
                                            ::testing::Values(1, 3, 32), ::testing::Values(1, 3)));

TEST(BrgemmTest, BitsDoNotDependOnHowTheWorkIsCut) {
  Problem whole(15, 70, 9, 4, false);
  whole.call.bias = whole.bias.data();
  Problem cut = whole;
  cut.call.c = cut.c.data();
  brgemm_kernel()(whole.call);
  for (const auto& [row, rows] : {std::pair{0, 2}, {2, 13}}) {
    for (const auto& [column, columns] : {std::pair{0, 33}, {33, 37}}) {
      for (std::int64_t i = 0; i < 4; ++i) {
        for (const auto& [first, count] : {std::pair{0, 5}, {5, 4}}) {
          Brgemm part = cut.call;
          part.m = rows;
          part.n = columns;
          part.k = count;
          part.batch = 1;
          part.a += row * part.a_row_stride + i * part.a_batch_stride + first;
          part.b += i * part.b_batch_stride + first * part.b_row_stride + column;
          part.c += row * part.c_row_stride + column;
          part.accumulate = i > 0 || first > 0;
          part.bias = part.accumulate ? nullptr : cut.bias.data() + column;
          brgemm_kernel()(part);
        }
      }
    }
  }
  EXPECT_EQ(whole.c, cut.c);
}

TEST(BrgemmTest, RowsOfAMayLieAnywhere) {
  for (const std::int64_t n : {5, 16, 70}) {
    Problem strided(17, n, 9, 4, false);
    Problem reversed = strided;
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < 17; ++row) {
      rows.push_back((16 - row) * strided.call.a_row_stride);
    }
    reversed.call.a_rows = rows.data();
    reversed.call.c = reversed.c.data();
    brgemm_kernel()(strided.call);
    brgemm_kernel()(reversed.call);
    for (std::int64_t row = 0; row < 17; ++row) {
      for (std::int64_t column = 0; column < n; ++column) {
        const std::int64_t stride = strided.call.c_row_stride;
        EXPECT_EQ(strided.call.c[row * stride + column],
                  reversed.call.c[(16 - row) * stride + column]);
      }
    }
  }
}

}  // namespace
}  // namespace convoy::blis
