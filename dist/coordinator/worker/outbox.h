// What a worker has to tell and the coordinator has not taken yet: in order, bounded, and in the
// journal before anybody sends it.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "convoy/v1/journal.pb.h"
#include "dist/coordinator/worker/journal.h"
#include "dist/coordinator/worker/report_queue.h"

namespace convoy::dist {

/// Not thread safe.
class Outbox {
 public:
  /// Takes up what an earlier process of the run left in the journal.
  Outbox(const std::filesystem::path& journal, const ReportLimits& limits);

  /// Must come before messages of that generation.
  void add_registration(const v1::RegisterRunRequest& registration);
  /// Adds these behind all others. If there is too much, the oldest steps are dropped, and told as
  /// lost instead. Returns why the journal could not be written, "" if it could; they are kept in
  /// memory all the same.
  std::string add(const std::vector<v1::JournalRecord>& records);

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::int64_t steps() const { return steps_; }
  std::int64_t bytes() const { return bytes_; }
  /// REQUIRES: !empty().
  std::int64_t generation() const { return entries_.front().generation; }
  std::int64_t sequence() const { return entries_.front().sequence; }
  /// Of a generation that add_registration or the journal told of.
  const v1::RegisterRunRequest& registration(std::int64_t generation) const;

  /// The first message, or as many of kind `progress` and of one generation as make a good stream,
  /// but not more than `most`.
  std::vector<v1::JournalRecord> first(std::size_t most = SIZE_MAX) const;

  /// The coordinator has these on its disk.
  void acknowledge(std::int64_t generation, std::int64_t sequence);
  /// It will never take them.
  void drop_generation(std::int64_t generation);
  /// It will never take the first one: another without content takes its place in the sequence.
  /// False if that has none.
  bool drop_content_of_first();

 private:
  struct Entry {
    std::int64_t generation = 0;
    std::int64_t sequence = 0;
    std::int64_t steps = 0;
    bool progress = false;
    std::string message = {};
  };

  Entry entry_of(const v1::JournalRecord& record, std::string message) const;
  void take_up(std::string message);
  void push(Entry entry);
  void pop();
  void empty_entry(Entry& entry, bool keep_notes);
  void trim();
  void tidy();
  void rewrite();

  const ReportLimits limits_;
  std::map<std::int64_t, v1::RegisterRunRequest> registrations_;
  std::deque<Entry> entries_;
  std::int64_t steps_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t journaled_generation_ = 0;  // whose registration the journal has last
  std::optional<Journal> journal_;         // nothing if it cannot be opened
  std::string journal_error_;              // why
  bool journal_has_gap_ = false;           // something could not be written
};

}  // namespace convoy::dist
