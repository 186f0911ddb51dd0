// Reports of several ranks, lost, repeated and out of order: what is added up equals the truth,
// bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>

#include "tests/dist/coordinator/book/told_book.h"

namespace convoy::testing {
namespace {

// What rank 0 also tells: that an epoch is finished.
struct Message {
  v1::ReportProgressRequest report = {};
  std::optional<v1::FinishEpochRequest> epoch = {};
};

// Go-back-N: sends on without waiting for answers, and begins again after the last acknowledged one
// when there is a gap.
class Sender {
 public:
  Sender(std::int32_t rank, std::vector<Message> messages)
      : rank_(rank), messages_(std::move(messages)) {}

  bool done() const { return acknowledged_ == messages_.size(); }
  // nullptr if all were sent.
  const Message* next() { return sent_ == messages_.size() ? nullptr : &messages_[sent_++]; }
  void acknowledge(std::int64_t sequence) {
    acknowledged_ = std::max(acknowledged_, static_cast<std::size_t>(sequence));
  }
  void go_back() { sent_ = acknowledged_; }
  std::int32_t rank() const { return rank_; }

 private:
  std::int32_t rank_;
  std::vector<Message> messages_;
  std::size_t sent_ = 0;
  std::size_t acknowledged_ = 0;
};

std::vector<Message> messages_of(std::int32_t rank, std::int32_t world_size, std::mt19937& random) {
  std::vector<Message> messages;
  std::int64_t sequence = 0;
  for (std::int64_t step = 1; step <= 3 * kEpochSteps;) {
    Message& message = messages.emplace_back();
    message.report = report(++sequence, rank);
    for (std::size_t i = 1 + random() % 4; i > 0 && step <= 3 * kEpochSteps; --i, ++step) {
      *message.report.add_steps() = step_of(step, {rank});
      // Some ranks also speak for their neighbour.
      if (rank > 0 && random() % 3 == 0) {
        message.report.mutable_steps()->rbegin()->MergeFrom([&] {
          v1::StepReport other;
          *other.add_ranks() = step_of(step, {rank - 1}).ranks(0);
          return other;
        }());
      }
    }
    if (rank == 0 && (step - 1) % kEpochSteps == 0) {
      messages.emplace_back().epoch =
          finished_epoch(++sequence, (step - 1) / kEpochSteps, world_size);
    }
  }
  if (rank == 0) {  // those whose last step was in the middle of a report
    for (std::int64_t epoch = 1; epoch <= 3; ++epoch) {
      messages.emplace_back().epoch = finished_epoch(++sequence, epoch, world_size);
    }
  }
  return messages;
}

class Network {
 public:
  Network(ToldBook& told, std::mt19937& random) : told_(told), random_(random) {}

  void send(Sender& sender) {
    if (const Message* message = sender.next(); message != nullptr && random_() % 5 != 0) {
      do {
        under_way_.insert(
            under_way_.begin() + static_cast<std::ptrdiff_t>(random_() % (under_way_.size() + 1)),
            {&sender, *message});
      } while (random_() % 5 == 0);
    } else if (message == nullptr) {
      sender.go_back();
    }
  }

  void deliver() {
    if (under_way_.empty()) {
      return;
    }
    const auto [sender, message] = under_way_.front();
    under_way_.pop_front();
    try {
      const std::int64_t acknowledged = message.epoch
                                            ? told_.tell(*message.epoch).acknowledged_sequence()
                                            : told_.tell(message.report).acknowledged_sequence();
      if (random_() % 3 != 0) {  // or the answer is lost
        sender->acknowledge(acknowledged);
      }
    } catch (const dist::Refusal& refusal) {
      EXPECT_EQ(static_cast<int>(refusal.kind()), static_cast<int>(dist::Refusal::Kind::kAborted))
          << refusal.what();
      sender->acknowledge(told_.tell(heartbeat(sender->rank())).acknowledged_sequence());
      sender->go_back();
    }
  }

 private:
  ToldBook& told_;
  std::mt19937& random_;
  std::deque<std::pair<Sender*, Message>> under_way_;
};

void expect_truth(ToldBook& told, std::int32_t world_size) {
  EXPECT_EQ(told.run().step(), 3 * kEpochSteps);
  EXPECT_EQ(told.run().lost_steps(), 0);
  told.keep();
  for (std::int64_t epoch = 1; epoch <= 3; ++epoch) {
    const v1::EpochMetrics& metrics = told.epochs.at({1, epoch}).metrics;
    EXPECT_EQ(dist::from_message(metrics.aggregated()), epoch_of_ranks(epoch, world_size));
    EXPECT_EQ(dist::from_message(metrics.train()), dist::from_message(metrics.aggregated()));
  }
  for (std::int64_t step = 1; step <= 3 * kEpochSteps; ++step) {
    dist::Totals truth;
    for (std::int32_t rank = 0; rank < world_size; ++rank) {
      truth += part_of(step, rank);
    }
    EXPECT_EQ(told.steps.at({1, step}).sums, truth) << "step " << step;
    EXPECT_EQ(told.steps.at({1, step}).ranks, world_size);
  }
}

TEST(LossyReportsTest, SumsEqualTheTruthExactly) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto world_size = static_cast<std::int32_t>(1 + seed % 9);
    ToldBook told;
    told.tell(registration(world_size));
    std::vector<Sender> senders;
    for (std::int32_t rank = 0; rank < world_size; ++rank) {
      senders.emplace_back(rank, messages_of(rank, world_size, random));
    }
    Network network(told, random);
    std::size_t turns = 0;
    while (!std::ranges::all_of(senders, &Sender::done) && ++turns < 100'000) {
      network.send(senders[random() % senders.size()]);
      network.deliver();
      if (random() % 10 == 0) {
        told.keep();
      }
    }
    expect_truth(told, world_size);
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace convoy::testing
