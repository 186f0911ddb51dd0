#include "core/blis/gemm.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "core/base/isa.h"
#include "core/base/random.h"

namespace convoy::blis {
namespace {

struct Problem {
  std::int64_t m, n, k;
  std::vector<float> a, b, c;
  ConstMatrix a_view, b_view;
  Matrix c_view;

  Problem(std::int64_t rows, std::int64_t columns, std::int64_t depth, bool a_transposed,
          bool b_transposed)
      : m(rows), n(columns), k(depth) {
    RandomSequence random({.seed = 5});
    for (auto [values, count] :
         {std::pair{&a, m * k}, std::pair{&b, k * n}, std::pair{&c, m * (n + 3)}}) {
      values->resize(static_cast<std::size_t>(count));
      for (float& value : *values) {
        value = random.uniform(-1.0F, 1.0F);
      }
    }
    a_view = a_transposed ? ConstMatrix{a.data(), 1, m} : ConstMatrix{a.data(), k, 1};
    b_view = b_transposed ? ConstMatrix{b.data(), 1, k} : ConstMatrix{b.data(), n, 1};
    c_view = {.data = c.data(), .row_stride = n + 3};
  }

  double expected(std::int64_t row, std::int64_t column, double start) const {
    for (std::int64_t i = 0; i < k; ++i) {
      start +=
          static_cast<double>(a_view.data[row * a_view.row_stride + i * a_view.column_stride]) *
          static_cast<double>(b_view.data[i * b_view.row_stride + column * b_view.column_stride]);
    }
    return start;
  }
};

class GemmTest : public ::testing::TestWithParam<std::tuple<int, int, int, bool, bool, bool>> {};

TEST_P(GemmTest, MultipliesViewsOfAnyStorage) {
  const auto [m, n, k, a_transposed, b_transposed, accumulate] = GetParam();
  Problem problem(m, n, k, a_transposed, b_transposed);
  const std::vector<float> before = problem.c;
  gemm(m, n, k, problem.a_view, problem.b_view, problem.c_view, accumulate);
  for (std::int64_t row = 0; row < m; ++row) {
    for (std::int64_t column = 0; column < n + 3; ++column) {
      const auto at = static_cast<std::size_t>(row * (n + 3) + column);
      if (column >= n) {
        ASSERT_EQ(problem.c[at], before[at]);
      } else {
        const double start = accumulate ? static_cast<double>(before[at]) : 0.0;
        ASSERT_NEAR(problem.c[at], problem.expected(row, column, start), 2e-7 * (k + 10));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, GemmTest,
                         ::testing::Combine(::testing::Values(1, 7, 32, 100),
                                            ::testing::Values(1, 10, 32, 130),
                                            ::testing::Values(1, 31, 700), ::testing::Bool(),
                                            ::testing::Bool(), ::testing::Bool()));

TEST(GemmTest, MayBeCalledFromSeveralThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; ++i) {
        Problem problem(20, 40, 30, false, true);
        gemm(20, 40, 30, problem.a_view, problem.b_view, problem.c_view, false);
        ASSERT_NEAR(problem.c[5], problem.expected(0, 5, 0.0), 1e-5);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST(GemmTest, DescribesBlisAndTheKernelsInUse) {
  EXPECT_NE(std::string(describe()).find("BLIS 0."), std::string::npos);
  EXPECT_NE(std::string(describe()).find(isa_name(active_isa())), std::string::npos);
}

}  // namespace
}  // namespace convoy::blis
