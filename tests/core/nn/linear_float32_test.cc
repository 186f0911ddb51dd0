#include "core/nn/linear_float32.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/blis/brgemm.h"
#include "core/nn/sparse_product_kernel.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

// Random, but nine of ten columns from `first` to `first + columns` of each row are zero.
Tensor mostly_zero(const Shape& shape, std::int64_t first, std::int64_t columns) {
  Tensor x = testing::random_tensor(shape, 1);
  for (std::int64_t row = 0; row < shape[0]; ++row) {
    for (std::int64_t column = first; column < first + columns; ++column) {
      if ((row * 7 + column * 3) % 10 != 0) {
        x.data()[row * shape[1] + column] = column % 2 == 0 ? 0.0F : -0.0F;
      }
    }
  }
  return x;
}

TEST(SparseProductTest, GivesTheBitsOfTheDenseProduct) {
  for (const std::int64_t n : {1, 5, 16, 17, 31, 63, 128, 300, 625}) {
    for (const std::int64_t k : {1, 15, 16, 17, 32, 64}) {
      for (const bool accumulate : {false, true}) {
        constexpr std::int64_t m = 70;  // more than are listed at a time
        const Tensor a = mostly_zero({m, k}, 0, k);
        const Tensor b = testing::random_tensor({k, n}, 2);
        Tensor wanted = testing::random_tensor({m, n}, 3);
        Tensor got = testing::random_tensor({m, n}, 3);
        blis::brgemm_kernel()({.m = m,
                               .n = n,
                               .k = k,
                               .a = a.data(),
                               .a_row_stride = k,
                               .b = b.data(),
                               .b_row_stride = n,
                               .c = wanted.data(),
                               .c_row_stride = n,
                               .accumulate = accumulate});
        multiply_sparse_kernel()({.m = m,
                                  .n = n,
                                  .k = k,
                                  .a = a.data(),
                                  .a_row_stride = k,
                                  .b = b.data(),
                                  .b_row_stride = n,
                                  .c = got.data(),
                                  .c_row_stride = n,
                                  .accumulate = accumulate});
        ASSERT_EQ(testing::copy_of(wanted), testing::copy_of(got)) << n << " " << k;
      }
    }
  }
}

TEST(SparseProductTest, CountsZerosOfBothSigns) {
  const std::vector<float> values = {0.0F, 1.0F, -0.0F, -2.0F, 1e-45F, 0.0F};
  std::int64_t zeros = 0;
  count_zeros_kernel()(values.data(), 6, zeros);
  EXPECT_EQ(zeros, 3);
}

// The same rows of x, once alone and once among others without zeros: another way, the same bits.
TEST(LinearFloat32Test, OutputsDoNotDependOnWhetherZerosAreLeftOut) {
  const Tensor weight = testing::random_tensor({100, 70}, 4);
  const Tensor bias = testing::random_tensor({70}, 5);
  for (const Tensor& start : {Tensor(), bias}) {
    const Tensor all = mostly_zero({16, 100}, 0, 0);
    const Tensor sparse = mostly_zero({6, 100}, 0, 100);
    std::ranges::copy(sparse.values(), Tensor(all).data());
    const Tensor wanted = float32_linear_forward(all, weight, start);
    const Tensor got = float32_linear_forward(sparse, weight, start);
    EXPECT_EQ(testing::copy_of(wanted.slice(0, {6, 70})), testing::copy_of(got));
  }
}

TEST(LinearFloat32Test, GradientsDoNotDependOnWhetherZerosAreLeftOut) {
  for (const std::int64_t images : {1, 9, 33, 70}) {
    const Tensor grad_y = testing::random_tensor({images, 70}, 4);
    const Tensor all = mostly_zero({images, 300}, 0, 60);
    Tensor sparse({images, 60});
    for (std::int64_t row = 0; row < images; ++row) {
      std::copy_n(all.data() + row * 300, 60, sparse.data() + row * 60);
    }
    for (const bool accumulate : {false, true}) {
      Tensor wanted = testing::random_tensor({300, 70}, 5);
      Tensor got = testing::random_tensor({60, 70}, 5);
      std::copy_n(wanted.data(), got.elements(), got.data());
      float32_linear_backward_weight(all, grad_y, {wanted, accumulate});
      float32_linear_backward_weight(sparse, grad_y, {got, accumulate});
      EXPECT_EQ(testing::copy_of(wanted.slice(0, {60, 70})), testing::copy_of(got)) << images;
    }
  }
}

}  // namespace
}  // namespace convoy::nn
