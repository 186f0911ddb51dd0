// Winograd's way against the direct one on the same operands, and both against sums in double.
#include "core/nn/conv2d_winograd.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/parallel.h"
#include "core/nn/conv2d_direct.h"
#include "core/nn/conv2d_pad.h"
#include "core/nn/conv2d_passes.h"
#include "tests/support/layer_run.h"

namespace convoy::nn {
namespace {

struct Case {
  std::int64_t n, h, w, c, k;
  std::int64_t top = 1, bottom = 1, left = 1, right = 1;
};

ConvGeometry geometry_of(const Case& t) {
  ConvGeometry g{.n = t.n, .h = t.h, .w = t.w, .c = t.c, .k = t.k, .r = 3, .s = 3};
  g.top = t.top;
  g.bottom = t.bottom;
  g.left = t.left;
  g.right = t.right;
  g.p = g.padded_h() - 2;
  g.q = g.padded_w() - 2;
  return g;
}

using Doubles = std::vector<double>;

// y[n,p,q,k] += x[n,h,w,c] weight[r,s,c,k], visited once for each such product.
template <typename Product>
void for_each_product(const ConvGeometry& g, const Product& product) {
  for (std::int64_t y = 0; y < g.n * g.p * g.q; ++y) {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      const std::int64_t h = y / g.q % g.p + tap / 3 - g.top;
      const std::int64_t w = y % g.q + tap % 3 - g.left;
      if (h < 0 || h >= g.h || w < 0 || w >= g.w) {
        continue;
      }
      const std::int64_t x = (y / (g.p * g.q) * g.h + h) * g.w + w;
      for (std::int64_t c = 0; c < g.c; ++c) {
        for (std::int64_t k = 0; k < g.k; ++k) {
          product(static_cast<std::size_t>(x * g.c + c),
                  static_cast<std::size_t>((tap * g.c + c) * g.k + k),
                  static_cast<std::size_t>(y * g.k + k));
        }
      }
    }
  }
}

double worst(const Tensor& got, const Doubles& wanted) {
  double largest = 0;
  double error = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::abs(wanted[i]));
    error = std::max(error, std::abs(static_cast<double>(got.values()[i]) - wanted[i]));
  }
  return error / largest;
}

double rms(const Tensor& got, const Doubles& wanted) {
  double sum = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    sum += std::pow(static_cast<double>(got.values()[i]) - wanted[i], 2);
  }
  return std::sqrt(sum / static_cast<double>(wanted.size()));
}

class WinogradTest : public ::testing::TestWithParam<Case> {
 protected:
  // Relative to the largest value; a direct float32 sum errs by about a third of it.
  static constexpr double kBound = 2e-6;

  ConvGeometry g_ = geometry_of(GetParam());
  Tensor x_ = testing::random_tensor({g_.n, g_.h, g_.w, g_.c}, 1);
  Tensor weight_ = testing::random_tensor({3, 3, g_.c, g_.k}, 2);
  Tensor bias_ = testing::random_tensor({g_.k}, 3);
  Tensor grad_y_ = testing::random_tensor({g_.n, g_.p, g_.q, g_.k}, 4);
};

TEST_P(WinogradTest, ForwardAgreesWithASumInDouble) {
  ASSERT_TRUE(winograd_fits(g_));
  Tensor y({g_.n, g_.p, g_.q, g_.k});
  ConvForward forward(g_, weight_);
  forward.run({x_.data(), bias_.data(), y.data()}, 0, g_.n * forward.units_per_image(), 0);
  Doubles wanted(y.values().size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    wanted[i] = static_cast<double>(bias_.values()[i % static_cast<std::size_t>(g_.k)]);
  }
  for_each_product(g_, [&](std::size_t x, std::size_t w, std::size_t out) {
    wanted[out] += static_cast<double>(x_.values()[x]) * static_cast<double>(weight_.values()[w]);
  });
  EXPECT_LT(worst(y, wanted), kBound);
}

TEST_P(WinogradTest, DataGradientAgreesWithASumInDouble) {
  Tensor grad_x({g_.n, g_.h, g_.w, g_.c});
  ConvDataGradient(g_, weight_).run(grad_y_, grad_x);
  Doubles wanted(grad_x.values().size());
  for_each_product(g_, [&](std::size_t x, std::size_t w, std::size_t out) {
    wanted[x] +=
        static_cast<double>(grad_y_.values()[out]) * static_cast<double>(weight_.values()[w]);
  });
  EXPECT_LT(worst(grad_x, wanted), kBound);
}

// Measured: 1.8 to 3.3 times.
TEST_P(WinogradTest, ErrsLittleMoreThanADirectSum) {
  const Tensor padded = pad(g_, x_);
  Tensor direct({g_.n, g_.p, g_.q, g_.k});
  direct_forward(g_, {padded.data(), weight_.data(), nullptr, direct.data()}, 0, g_.n * g_.p);
  Tensor winograd({g_.n, g_.p, g_.q, g_.k});
  ConvForward forward(g_, weight_);
  forward.run({x_.data(), nullptr, winograd.data()}, 0, g_.n * forward.units_per_image(), 0);
  Doubles wanted(direct.values().size());
  for_each_product(g_, [&](std::size_t x, std::size_t w, std::size_t out) {
    wanted[out] += static_cast<double>(x_.values()[x]) * static_cast<double>(weight_.values()[w]);
  });
  EXPECT_LT(rms(winograd, wanted), 4 * rms(direct, wanted));
}

TEST_P(WinogradTest, BitsDoNotDependOnHowTilesAreSharedOut) {
  ConvForward forward(g_, weight_);
  const std::int64_t units = g_.n * forward.units_per_image();
  Tensor whole({g_.n, g_.p, g_.q, g_.k});
  forward.run({x_.data(), bias_.data(), whole.data()}, 0, units, 0);
  Tensor parts({g_.n, g_.p, g_.q, g_.k});
  for (std::int64_t begin = 0; begin < units; begin += 5) {
    forward.run({x_.data(), bias_.data(), parts.data()}, begin, std::min(begin + 5, units), 0);
  }
  EXPECT_EQ(testing::copy_of(whole), testing::copy_of(parts));
}

INSTANTIATE_TEST_SUITE_P(Shapes, WinogradTest,
                         ::testing::Values(Case{2, 6, 6, 16, 16}, Case{3, 7, 7, 24, 17},
                                           Case{1, 5, 8, 33, 40}, Case{2, 9, 4, 16, 50, 0, 0, 0, 0},
                                           Case{2, 4, 5, 20, 16, 2, 2, 2, 2},
                                           Case{1, 3, 6, 16, 16, 3, 0, 1, 4},
                                           Case{9, 14, 14, 32, 64}, Case{2, 7, 9, 8, 17}));

// With each number of outputs that the last tile of a row or column may have.
std::vector<Case> all_last_tiles() {
  std::vector<Case> cases;
  for (std::int64_t p = 5; p <= 8; ++p) {
    for (std::int64_t q = 9; q <= 12; ++q) {
      cases.push_back({.n = 2, .h = p, .w = q, .c = 16, .k = 24});
    }
  }
  return cases;
}
INSTANTIATE_TEST_SUITE_P(LastTiles, WinogradTest, ::testing::ValuesIn(all_last_tiles()));

// Images smaller than a tile.
INSTANTIATE_TEST_SUITE_P(OneTile, WinogradTest,
                         ::testing::Values(Case{3, 2, 2, 16, 16}, Case{3, 2, 3, 16, 16},
                                           Case{3, 3, 4, 16, 16}, Case{3, 4, 2, 16, 16}));

class WinogradWeightTest : public WinogradTest {
 protected:
  static Tensor sum(WinogradWeightGradient& gradient, const Tensor& start) {
    Tensor grad_weight = start.clone();
    gradient.finish(grad_weight);
    return grad_weight;
  }
  Tensor sum_of_all(const Tensor& start) const {
    WinogradWeightGradient gradient(g_);
    gradient.add(x_, grad_y_);
    return sum(gradient, start);
  }
  Doubles sum_in_double(const Tensor& start) const {
    Doubles sums(start.values().begin(), start.values().end());
    for_each_product(g_, [&](std::size_t x, std::size_t w, std::size_t out) {
      sums[w] += static_cast<double>(x_.values()[x]) * static_cast<double>(grad_y_.values()[out]);
    });
    return sums;
  }
};

TEST_P(WinogradWeightTest, AddsASumInDouble) {
  ASSERT_TRUE(winograd_weight_fits(g_));
  const Tensor start = testing::random_tensor(weight_.shape(), 5);
  EXPECT_LT(worst(sum_of_all(start), sum_in_double(start)), 3 * kBound);  // up to 6,272 products
}

// Measured: 1.3 to 2.7 times, the less the more outputs there are.
TEST_P(WinogradWeightTest, ErrsLittleMoreThanADirectSum) {
  const Tensor zeros = Tensor::zeros(weight_.shape());
  Tensor direct = zeros.clone();
  direct_backward_weight(g_, pad(g_, x_), grad_y_, direct);
  const Doubles wanted = sum_in_double(zeros);
  EXPECT_LT(rms(sum_of_all(zeros), wanted), 4 * rms(direct, wanted));
}

TEST_P(WinogradWeightTest, BitsDoNotDependOnThreadsNorOnHowImagesAreCut) {
  const Tensor start = testing::random_tensor(weight_.shape(), 5);
  const std::vector<float> wanted = testing::copy_of(sum_of_all(start));
  const int threads = num_threads();
  for (const int count : {1, 2, 3}) {
    set_num_threads(count);
    EXPECT_EQ(testing::copy_of(sum_of_all(start)), wanted) << count;
    for (const int times : {1, 2}) {
      WinogradWeightGradient gradient(g_);
      const std::int64_t step = times * gradient.images_together();
      for (std::int64_t first = 0; first < g_.n; first += step) {
        const std::int64_t images_now = std::min(step, g_.n - first);
        gradient.add(images(x_, first, images_now), images(grad_y_, first, images_now));
      }
      EXPECT_EQ(testing::copy_of(sum(gradient, start)), wanted) << count << ", " << times;
    }
  }
  set_num_threads(threads);
}

class WinogradWeightTapsTest : public WinogradWeightTest {};

// Only the first row of outputs has a gradient, so the first row of taps meets padding alone.
// Measured: 5 to 9 times what a direct sum errs in the other taps.
TEST_P(WinogradWeightTapsTest, ErrsBoundedlyWhereTapsMeetNothing) {
  ASSERT_EQ(g_.top, 1);
  for (std::int64_t i = 0; i < grad_y_.elements(); ++i) {
    if (i / (g_.q * g_.k) % g_.p != 0) {
      grad_y_.data()[i] = 0;
    }
  }
  const Tensor zeros = Tensor::zeros(weight_.shape());
  Tensor direct = zeros.clone();
  direct_backward_weight(g_, pad(g_, x_), grad_y_, direct);
  const Doubles wanted = sum_in_double(zeros);
  const std::int64_t row = 3 * g_.c * g_.k;
  const Tensor nothing = sum_of_all(zeros).slice(0, {row});
  const Tensor others = direct.slice(row, {2 * row});
  EXPECT_LT(rms(nothing, Doubles(static_cast<std::size_t>(row))),
            16 * rms(others, Doubles(wanted.begin() + row, wanted.end())));
}

TEST_P(WinogradWeightTest, GivesZeroToFiltersThatMeetNothing) {
  for (std::int64_t i = 0; i < grad_y_.elements(); i += g_.k) {
    grad_y_.data()[i + 3] = 0;
  }
  for (std::int64_t i = 0; i < x_.elements(); i += g_.c) {
    x_.data()[i + 2] = 0;
  }
  const Tensor got = sum_of_all(Tensor::zeros(weight_.shape()));
  for (std::int64_t i = 0; i < got.elements(); ++i) {
    const bool meets_nothing = i % g_.k == 3 || i / g_.k % g_.c == 2;
    ASSERT_EQ(got.data()[i] == 0.0F, meets_nothing) << i;
  }
}

// Blocks of several images, the last one of fewer, and of parts of an image; panels of all widths.
INSTANTIATE_TEST_SUITE_P(Shapes, WinogradWeightTest,
                         ::testing::Values(Case{32, 14, 14, 32, 64}, Case{31, 7, 7, 24, 17},
                                           Case{2, 10, 12, 16, 80}, Case{2, 33, 27, 8, 32},
                                           Case{5, 11, 9, 33, 9}, Case{13, 4, 4, 16, 130},
                                           Case{9, 8, 7, 16, 16, 0, 0, 0, 0},
                                           Case{3, 7, 9, 16, 32, 3, 0, 1, 4}));
INSTANTIATE_TEST_SUITE_P(Padded, WinogradWeightTapsTest,
                         ::testing::Values(Case{32, 14, 14, 32, 64}, Case{5, 11, 9, 33, 9}));

TEST(WinogradWeightFitsTest, RefusesWhatADirectSumDoesBetter) {
  EXPECT_TRUE(winograd_weight_fits(geometry_of({4, 7, 7, 16, 16})));
  EXPECT_FALSE(winograd_weight_fits(geometry_of({3, 7, 7, 16, 16})));   // outputs
  EXPECT_FALSE(winograd_weight_fits(geometry_of({99, 7, 7, 8, 16})));   // filters
  EXPECT_FALSE(winograd_weight_fits(geometry_of({99, 3, 9, 16, 16})));  // rows
  EXPECT_FALSE(winograd_weight_fits(geometry_of({99, 9, 3, 16, 16})));  // columns
}

}  // namespace
}  // namespace convoy::nn
