#include "core/tensor/buffer_pool.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "core/tensor/tensor.h"

namespace convoy {
namespace {

TEST(BufferPoolTest, HandsReleasedBuffersOutAgain) {
  const float* first = Tensor({1000}).data();
  const std::uint64_t before = BufferPool::instance().system_allocations();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Tensor({1000}).data(), first);
  }
  EXPECT_EQ(BufferPool::instance().system_allocations(), before);
}

TEST(BufferPoolTest, BuffersAreAlignedAndApart) {
  std::vector<Tensor> tensors;
  for (std::int64_t count = 0; count < 300; ++count) {
    tensors.emplace_back(Shape{count});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensors.back().data()) % 64, 0U);
    tensors.back().fill(static_cast<float>(count));
  }
  for (std::int64_t count = 0; count < 300; ++count) {
    for (const float value : tensors[static_cast<std::size_t>(count)].values()) {
      ASSERT_EQ(value, static_cast<float>(count));
    }
  }
}

TEST(BufferPoolTest, ThreadsMayTakeAndGiveTogether) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 1; i < 2000; ++i) {
        Tensor tensor = Tensor::full({i % 97 + 1}, static_cast<float>(t));
        for (const float value : tensor.values()) {
          ASSERT_EQ(value, static_cast<float>(t));
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST(BufferPoolTest, ImpossibleSizeIsRefused) {
  EXPECT_THROW(Tensor({std::int64_t{1} << 61}), std::bad_alloc);
}

}  // namespace
}  // namespace convoy
