// Real ranks of a real job: run by mpirun (tests/support/with-mpi), every rank goes through the
// same tests. What collectives compute is tested with threads (collectives_test.cc); here it is
// whether MPI carries it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include "dist/collectives.h"
#include "dist/job.h"
#include "dist/job_environment.h"

namespace convoy::dist {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Communicator* job = nullptr;

std::vector<std::byte> filled(std::size_t length, int value) {
  return std::vector<std::byte>(length, static_cast<std::byte>(value));
}

class MpiTest : public ::testing::Test {
 protected:
  void SetUp() override { barrier(*job); }
  static bool alone() { return job->size() == 1; }
};

TEST_F(MpiTest, ThisIsTheJobThatTheLauncherStarted) {
  EXPECT_TRUE(in_mpi_job());
  EXPECT_TRUE(built_with_mpi());
  EXPECT_EQ(job->size(), job_environment().ranks);
  EXPECT_EQ(job->rank(), job_environment().rank);
  std::array<char, 256> host = {};
  gethostname(host.data(), host.size() - 1);
  EXPECT_EQ(job->host(job->size() - 1), host.data());
}

TEST_F(MpiTest, SumsAreThoseOfAllRanks) {
  const int size = job->size();
  for (const std::size_t length : {0, 1, 1000, 300000}) {
    std::vector<std::int64_t> counts(length, job->rank() + 1);
    all_reduce_sum(*job, counts);
    EXPECT_EQ(counts, std::vector<std::int64_t>(length, size * (size + 1) / 2));
    std::vector<double> values(length, 0.5 * job->rank());
    all_reduce_sum(*job, values);
    EXPECT_EQ(values, std::vector<double>(length, 0.25 * size * (size - 1)));
  }
}

TEST_F(MpiTest, BroadcastCopiesRankZeros) {
  for (const std::size_t length : {0, 1, 5000, 3000000}) {
    const bool root = job->rank() == 0;
    EXPECT_EQ(broadcast(*job, root ? filled(length, 7) : filled(3, 1)), filled(length, 7));
  }
}

TEST_F(MpiTest, GatherKeepsLengthsAndTheOrderOfRanks) {
  const auto parts = all_gather(*job, filled(static_cast<std::size_t>(job->rank()) * 1000, 3));
  ASSERT_EQ(parts.size(), static_cast<std::size_t>(job->size()));
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    EXPECT_EQ(parts[rank], filled(rank * 1000, 3));
  }
}

TEST_F(MpiTest, ManyMessagesAtOnceArriveInTheOrderTheyWereSent) {
  constexpr int kMessages = 200;
  const int size = job->size();
  if (alone()) {
    return;
  }
  const int next = (job->rank() + 1) % size;
  const int previous = (job->rank() + size - 1) % size;
  std::vector<int> sent(kMessages);
  std::iota(sent.begin(), sent.end(), job->rank() * kMessages);
  std::vector<int> got(kMessages, -1);
  std::vector<Transfer> transfers;
  for (std::size_t i = 0; i < kMessages; ++i) {
    transfers.push_back(
        job->receive(std::as_writable_bytes(std::span(got).subspan(i, 1)), previous, 5));
    transfers.push_back(job->send(std::as_bytes(std::span(sent).subspan(i, 1)), next, 5));
  }
  for (Transfer& transfer : transfers) {
    job->wait(transfer);
    EXPECT_TRUE(job->done(transfer)) << "a transfer that is done stays done";
  }
  std::vector<int> expected(kMessages);
  std::iota(expected.begin(), expected.end(), previous * kMessages);
  EXPECT_EQ(got, expected);
}

TEST_F(MpiTest, TwoThreadsTalkAtOnceOverADuplicateEach) {
  const auto other = job->duplicate();
  std::int64_t sum = 0;
  std::thread thread([&] {
    for (int i = 0; i < 200; ++i) {
      std::int64_t value = 1;
      all_reduce_sum(*other, std::span(&value, 1));
      sum += value;
    }
  });
  for (int i = 0; i < 200; ++i) {
    std::int64_t value = 1000;
    all_reduce_sum(*job, std::span(&value, 1));
    EXPECT_EQ(value, 1000 * job->size());
  }
  thread.join();
  EXPECT_EQ(sum, 200 * job->size());
}

// Rank 0 sends `sent` bytes to rank 1, which expects another number of them.
void send_another_length(std::size_t sent, std::size_t expected) {
  if (job->size() == 1) {
    return;
  }
  const auto other = job->duplicate();
  other->set_activity("training step", 812);
  std::vector<std::byte> bytes = filled(job->rank() == 0 ? sent : expected, 1);
  if (job->rank() == 0) {
    Transfer transfer = other->send(bytes, 1, 9);
    other->wait(transfer);
  } else if (job->rank() == 1) {
    Transfer transfer = other->receive(bytes, 0, 9);
    EXPECT_THAT([&] { other->wait(transfer); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr("rank 0"), HasSubstr("training step 812"),
                          HasSubstr(fmt::format("sent {} bytes, {} were", sent, expected)))));
  }
  barrier(*job);
}

TEST_F(MpiTest, AMessageThatIsTooShortIsRefused) {
  send_another_length(4, 5);
  send_another_length(100000, 200000);
}

TEST_F(MpiTest, AMessageThatIsTooLongIsRefused) {
  send_another_length(5, 4);
}

TEST_F(MpiTest, AWaitThatTakesTooLongNamesTheRankAndTheActivity) {
  if (alone()) {
    return;
  }
  std::byte late = {};
  if (job->rank() == 0) {
    job->set_activity("training step", 812);
    job->set_timeout(std::chrono::milliseconds(50));
    Transfer transfer = job->receive(std::span(&late, 1), 1, 77);
    EXPECT_THAT([&] { job->wait(transfer); },
                ThrowsMessage<Error>(AllOf(HasSubstr(job->name(1)), HasSubstr("training step 812"),
                                           HasSubstr("nothing came"))));
    job->set_timeout(std::chrono::seconds(20));
    barrier(*job);
    job->wait(transfer);
    EXPECT_EQ(late, std::byte{7});
  } else {
    barrier(*job);
    if (job->rank() == 1) {
      late = std::byte{7};
      Transfer transfer = job->send(std::span(&late, 1), 0, 77);
      job->wait(transfer);
    }
  }
}

TEST_F(MpiTest, AMessageToNobodyIsRefused) {
  std::byte byte = {};
  EXPECT_THAT([&] { job->send(std::span(&byte, 1), job->size(), 1); },
              ThrowsMessage<Error>(HasSubstr("tag 1")));
  EXPECT_THAT([&] { job->receive(std::span(&byte, 1), job->rank(), 1); },
              ThrowsMessage<Error>(HasSubstr("tag 1")));
}

TEST_F(MpiTest, ItsSharedMemoryHasNoNamesThatCouldStayBehind) {
  const auto blocks = alone() ? std::vector<std::shared_ptr<std::byte[]>>() : job->share(10000);
  std::ifstream maps("/proc/self/maps");
  int mapped = 0;
  int shared = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("vader_segment.") != std::string::npos) {
      ++mapped;
      EXPECT_THAT(line, HasSubstr("(deleted)"));
    }
    shared += line.find("/memfd:convoy (deleted)") != line.npos ? 1 : 0;
    EXPECT_TRUE(line.find("/dev/shm/") == line.npos || line.ends_with("(deleted)")) << line;
  }
  EXPECT_GE(mapped, alone() ? 0 : 2);
  EXPECT_GE(shared, std::ssize(blocks));
}

TEST_F(MpiTest, RanksOfOneHostSeeEachOthersMemory) {
  ASSERT_EQ(job->shares_memory(), !alone());
  const auto me = static_cast<std::size_t>(job->rank());
  for (const std::size_t length : {0, 1, 5000, 3000000}) {
    const auto blocks = job->duplicate()->share(length);
    ASSERT_EQ(blocks.size(), static_cast<std::size_t>(job->size()));
    const auto byte_of = [](std::size_t rank, std::size_t i) {
      return static_cast<std::byte>(rank * 100 + i % 97 + 1);
    };
    for (std::size_t i = 0; i < length; ++i) {
      ASSERT_EQ(blocks[me][i], std::byte{0}) << "what nobody has written is zero";
    }
    barrier(*job);
    for (std::size_t i = 0; i < length; ++i) {
      blocks[me][i] = byte_of(me, i);
    }
    barrier(*job);
    std::size_t wrong = 0;
    for (std::size_t rank = 0; rank < blocks.size(); ++rank) {
      for (std::size_t i = 0; i < length; ++i) {
        wrong += blocks[rank][i] == byte_of(rank, i) ? 0 : 1;
      }
    }
    EXPECT_EQ(wrong, 0U) << length << " bytes";
    barrier(*job);
  }
}

TEST_F(MpiTest, RanksThatWantToShareDifferentLengthsAreNamed) {
  if (alone()) {
    return;
  }
  EXPECT_THAT([] { job->share(job->rank() == 1 ? 200 : 100); },
              ThrowsMessage<Error>(AllOf(HasSubstr("rank"), HasSubstr("200"), HasSubstr("100"))));
}

}  // namespace

int run_tests() {
  const auto communicator = join_job();
  job = communicator.get();
  job->set_timeout(std::chrono::seconds(20));
  return RUN_ALL_TESTS();
}

}  // namespace convoy::dist

int main(int argc, char** argv) {
  GTEST_FLAG_SET(brief, convoy::dist::job_environment().rank != 0);  // failures only
  ::testing::InitGoogleTest(&argc, argv);
  return convoy::dist::run_tests();
}
