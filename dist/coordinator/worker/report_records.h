// Cuts what was queued into the messages that are sent, each with its sequence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/v1/journal.pb.h"
#include "dist/coordinator/worker/report_queue.h"

namespace convoy::dist {

/// Who reports: rank 0 of this generation.
struct Speaker {
  std::string run = {};
  std::int64_t generation = 0;
  std::int64_t next_sequence = 1;
};

/// The batch's messages in order; no message is larger than the protocol allows. Moves
/// `speaker.next_sequence` on.
std::vector<v1::JournalRecord> to_records(const ReportQueue::Batch& batch, Speaker& speaker);

}  // namespace convoy::dist
