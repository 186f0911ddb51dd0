#include "dist/coordinator/worker/outbox.h"

#include <algorithm>

#include "core/base/check.h"

namespace convoy::dist {
namespace {

// A journal is written anew when it is this long and half of it is of no use any more.
constexpr std::int64_t kTidyBytes = 4 << 20;
// What one stream carries, so that it is over long before its deadline.
constexpr std::size_t kStreamMessages = 64;
constexpr std::size_t kStreamBytes = 1 << 20;

std::string registration_message(const v1::RegisterRunRequest& registration) {
  v1::JournalRecord record;
  *record.mutable_registration() = registration;
  return record.SerializeAsString();
}

// In its place in the sequence: only that nobody will report its steps.
v1::JournalRecord without_content(const v1::JournalRecord& record, bool keep_notes) {
  v1::JournalRecord result;
  v1::ReportProgressRequest& empty = *result.mutable_progress();
  const auto sign = [&empty](const auto& request) {
    empty.set_run(request.run());
    empty.set_generation(request.generation());
    empty.set_rank(request.rank());
    empty.set_sequence(request.sequence());
  };
  if (record.has_epoch()) {
    sign(record.epoch());
  } else if (record.has_end()) {
    sign(record.end());
  } else {
    const v1::ReportProgressRequest& report = record.progress();
    sign(report);
    if (keep_notes) {
      *empty.mutable_notes() = report.notes();
    }
    *empty.mutable_lost() = report.lost();
    if (!report.steps().empty()) {
      v1::StepRange& lost = *empty.add_lost();
      lost.set_first(report.steps().begin()->step());
      lost.set_last(report.steps().rbegin()->step());
    }
  }
  return result;
}

}  // namespace

Outbox::Outbox(const std::filesystem::path& journal, const ReportLimits& limits) : limits_(limits) {
  try {
    journal_.emplace(journal, [this](std::string message) { take_up(std::move(message)); });
  } catch (const Error& error) {
    journal_error_ = error.what();
  }
  trim();
}

void Outbox::take_up(std::string message) {
  v1::JournalRecord record;
  if (!record.ParseFromString(message)) {
    return;
  }
  if (record.has_registration()) {
    journaled_generation_ = record.registration().generation();
    registrations_[journaled_generation_] = record.registration();
    return;
  }
  Entry entry = entry_of(record, std::move(message));
  if (registrations_.contains(entry.generation)) {
    push(std::move(entry));
    trim();
  }
}

Outbox::Entry Outbox::entry_of(const v1::JournalRecord& record, std::string message) const {
  Entry entry = {.message = std::move(message)};
  const auto sign = [&entry](const auto& request) {
    entry.generation = request.generation();
    entry.sequence = request.sequence();
  };
  if (record.has_epoch()) {
    sign(record.epoch());
  } else if (record.has_end()) {
    sign(record.end());
  } else {
    sign(record.progress());
    entry.steps = record.progress().steps_size();
    entry.progress = true;
  }
  return entry;
}

void Outbox::add_registration(const v1::RegisterRunRequest& registration) {
  registrations_[registration.generation()] = registration;
}

const v1::RegisterRunRequest& Outbox::registration(std::int64_t generation) const {
  return registrations_.at(generation);
}

std::string Outbox::add(const std::vector<v1::JournalRecord>& records) {
  std::vector<std::string> messages;
  for (const v1::JournalRecord& record : records) {
    Entry entry = entry_of(record, record.SerializeAsString());
    if (entry.generation != journaled_generation_) {
      messages.push_back(registration_message(registration(entry.generation)));
      journaled_generation_ = entry.generation;
    }
    messages.push_back(entry.message);
    push(std::move(entry));
  }
  if (!journal_) {
    return journal_error_;
  }
  trim();
  try {
    if (journal_has_gap_) {
      rewrite();
    } else {
      journal_->append(messages);
    }
    journal_has_gap_ = false;
  } catch (const Error& error) {
    journal_has_gap_ = true;
    return error.what();
  }
  tidy();
  return "";
}

void Outbox::push(Entry entry) {
  steps_ += entry.steps;
  bytes_ += static_cast<std::int64_t>(entry.message.size());
  entries_.push_back(std::move(entry));
}

void Outbox::pop() {
  steps_ -= entries_.front().steps;
  bytes_ -= static_cast<std::int64_t>(entries_.front().message.size());
  entries_.pop_front();
}

void Outbox::trim() {
  auto oldest = entries_.begin();
  while (steps_ > limits_.steps || bytes_ > limits_.bytes) {
    oldest =
        std::find_if(oldest, entries_.end(), [](const Entry& entry) { return entry.steps > 0; });
    if (oldest == entries_.end()) {
      return;
    }
    empty_entry(*oldest, true);
  }
}

void Outbox::empty_entry(Entry& entry, bool keep_notes) {
  v1::JournalRecord record;
  record.ParseFromString(entry.message);
  steps_ -= entry.steps;
  bytes_ -= static_cast<std::int64_t>(entry.message.size());
  const v1::JournalRecord empty = without_content(record, keep_notes);
  entry = entry_of(empty, empty.SerializeAsString());
  bytes_ += static_cast<std::int64_t>(entry.message.size());
}

bool Outbox::drop_content_of_first() {
  const std::string before = entries_.front().message;
  empty_entry(entries_.front(), false);
  return entries_.front().message != before;
}

std::vector<v1::JournalRecord> Outbox::first(std::size_t most) const {
  std::vector<v1::JournalRecord> records;
  std::size_t bytes = 0;
  for (const Entry& entry : entries_) {
    const bool fits = entry.progress && entry.generation == generation() &&
                      records.size() < std::min(most, kStreamMessages) && bytes < kStreamBytes;
    if (!records.empty() && !fits) {
      break;
    }
    bytes += entry.message.size();
    records.emplace_back().ParseFromString(entry.message);
    if (!entry.progress) {
      break;
    }
  }
  return records;
}

void Outbox::acknowledge(std::int64_t generation, std::int64_t sequence) {
  const std::size_t before = entries_.size();
  while (!entries_.empty() && entries_.front().generation == generation &&
         entries_.front().sequence <= sequence) {
    pop();
  }
  if (entries_.size() != before) {
    tidy();
  }
}

void Outbox::drop_generation(std::int64_t generation) {
  while (!entries_.empty() && entries_.front().generation == generation) {
    pop();
  }
  tidy();
}

void Outbox::tidy() {
  const bool useless = journal_ && journal_->bytes() > 0 && entries_.empty();
  if (useless || (journal_ && journal_->bytes() > std::max(kTidyBytes, 2 * bytes_))) {
    try {
      rewrite();
    } catch (const Error&) {
      journal_has_gap_ = true;  // until the next message, which tries again
    }
  }
}

void Outbox::rewrite() {
  std::vector<std::string> messages;
  journaled_generation_ = 0;
  for (const Entry& entry : entries_) {
    if (entry.generation != journaled_generation_) {
      journaled_generation_ = entry.generation;
      messages.push_back(registration_message(registration(entry.generation)));
    }
    messages.push_back(entry.message);
  }
  journal_->rewrite(messages);
}

}  // namespace convoy::dist
