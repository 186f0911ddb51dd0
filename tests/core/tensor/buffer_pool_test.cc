#include "core/tensor/buffer_pool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/tensor/tensor.h"

namespace convoy {
namespace {

// What the kernel was told about the memory at `address`: words of two letters, see proc(5).
std::string memory_flags(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    if (words >> std::hex >> begin >> dash >> end && dash == '-') {
      inside = begin <= wanted && wanted < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return {};
}

TEST(BufferPoolTest, LargeBuffersAskForHugePages) {
  if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage/enabled")) {
    GTEST_SKIP() << "this kernel has no huge pages";
  }
  const Tensor large({(2 << 20) / 4});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.data()) % (2 << 20), 0U);
  EXPECT_NE(memory_flags(large.data()).find(" hg "), std::string::npos);
  const Tensor small({1000});
  EXPECT_EQ(memory_flags(small.data()).find(" hg "), std::string::npos);
}

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
