// A run in the middle of its third epoch, as a coordinator tells of it.
#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "launcher/status_report.h"

namespace convoy::launcher::testing {

template <typename Message>
Message message(const std::string& text) {
  Message result;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &result)) << text;
  return result;
}

inline v1::EpochMetrics sample_epoch(int epoch, double loss_sum, int correct) {
  v1::EpochMetrics metrics = message<v1::EpochMetrics>(R"(
      test { images: 10000 correct: 9832 loss_sum: 512 } images_per_second: 12345.6
      duration { seconds: 4 nanos: 900000000 } end_time { seconds: 1000000740 })");
  metrics.set_epoch(epoch);
  metrics.mutable_train()->set_images(60000);
  metrics.mutable_train()->set_correct(correct);
  metrics.mutable_train()->set_loss_sum(loss_sum);
  return metrics;
}

inline StatusReport sample_report() {
  StatusReport report;
  report.run = message<v1::Run>(R"(
      run: "20250131-142501-tutorial-1" generation: 1 state: RUN_STATE_RUNNING
      spec { model: "tutorial" dataset: "mnist" batch_size: 32 epochs: 15 steps: 28125
             steps_per_epoch: 1875 images_per_epoch: 60000 world_size: 4 threads: 1
             run_dir: "/data/my runs/1" }
      create_time { seconds: 1000000000 } start_time { seconds: 1000000000 }
      update_time { seconds: 1000000740 }
      phase: PHASE_TRAINING epoch: 3 step: 4312
      epoch_so_far { images: 17984 correct: 17734 loss_sum: 814.675 }
      images_per_second: 12345.6 remaining { seconds: 125 } ranks_alive: 4)");
  *report.run.mutable_last_epoch() = sample_epoch(2, 5436, 58000);
  report.events.push_back(message<v1::Event>(R"(
      sequence: 2 time { seconds: 1000000700 } severity: SEVERITY_WARNING
      text: "step 4000 was left out: its loss is nan")"));
  report.events.push_back(message<v1::Event>(R"(
      sequence: 1 time { seconds: 1000000000 } severity: SEVERITY_INFO text: "registered")"));
  return report;
}

inline StatusScreen sample_screen(int columns = 80) {
  return {.terminal = {.interactive = true, .unicode = true},
          .columns = columns,
          .now = std::chrono::system_clock::time_point(std::chrono::seconds(1000000741))};
}

inline v1::Rank sample_rank(int number, bool alive) {
  v1::Rank rank = message<v1::Rank>(R"(
      info { host: "node1" pid: 12345 } step: 4312 images_per_second: 3086.4
      computing { nanos: 8100000 } waiting { nanos: 300000 }
      last_seen_time { seconds: 1000000740 })");
  rank.mutable_info()->set_rank(number);
  rank.set_alive(alive);
  return rank;
}

}  // namespace convoy::launcher::testing
