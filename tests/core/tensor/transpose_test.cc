#include "core/tensor/transpose.h"

#include <gtest/gtest.h>

#include <vector>

namespace convoy {
namespace {

TEST(TransposeTest, PutsEveryElementWhereItBelongsAndNoOther) {
  for (const std::int64_t rows : {0, 1, 15, 16, 17, 40}) {
    for (const std::int64_t columns : {1, 16, 33}) {
      const std::int64_t from_stride = columns + 3;
      const std::int64_t to_stride = rows + 2;
      std::vector<float> from(static_cast<std::size_t>(rows * from_stride));
      for (std::size_t i = 0; i < from.size(); ++i) {
        from[i] = static_cast<float>(i);
      }
      std::vector<float> to(static_cast<std::size_t>(columns * to_stride), -1.0F);
      transpose({rows, columns, from.data(), from_stride, to.data(), to_stride});
      for (std::int64_t j = 0; j < columns; ++j) {
        for (std::int64_t i = 0; i < to_stride; ++i) {
          EXPECT_EQ(to[static_cast<std::size_t>(j * to_stride + i)],
                    i < rows ? static_cast<float>(i * from_stride + j) : -1.0F)
              << rows << " x " << columns << ", row " << i << ", column " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace convoy
