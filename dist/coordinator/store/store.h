// Where a coordinator keeps what it was told: one SQLite database. Implemented in sqlite_store.cc.
//
// What save() has returned for is kept when the process is killed at any moment, and when the power
// fails.
#pragma once

#include <filesystem>
#include <memory>

#include "convoy/v1/coordinator.pb.h"
#include "dist/coordinator/book/records.h"

namespace convoy::dist {

class Store {
 public:
  struct Options {
    std::filesystem::path database = {};
    bool read_only = false;  ///< the file must exist; takes no lock
    /// Whether save() waits for the disk itself. Without, a failing power may take the last seconds
    /// with it; a killed process takes nothing either way.
    bool sync = true;
  };

  /// Throws Error, naming the file, if it cannot be read or made, is no database of convoy's, of a
  /// newer version, damaged, or held by another Store.
  explicit Store(const Options& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// All that a RunBook needs to go on. Throws Error.
  SavedBook load();
  /// Saves all of it or nothing; then throws Error. One thread at a time.
  void save(const Changes& changes);

  // What was saved, for any number of threads. The requests' runs are given as a number too. They
  // throw Refusal for a page that cannot be, Error if the file cannot be read.
  Totals totals(std::int64_t run_id, std::int64_t epoch, std::int64_t last_step) const;
  v1::ListStepsResponse list_steps(const v1::ListStepsRequest& request, std::int64_t run_id) const;
  v1::ListEpochsResponse list_epochs(const v1::ListEpochsRequest& request,
                                     std::int64_t run_id) const;
  v1::ListEventsResponse list_events(const v1::ListEventsRequest& request) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::dist
