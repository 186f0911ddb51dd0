#include "dist/coordinator/store/sqlite_store.h"

namespace convoy::dist {

Store::Store(const Options& options) : impl_(std::make_unique<Impl>(options.database)) {
  if (!options.read_only) {
    impl_->lock.emplace(options.database);
    impl_->database = open_for_writing(options.database, options.sync);
    impl_->writer.emplace(*impl_->database);
  } else {
    impl_->readers.with([](const Sqlite&) { return true; });  // or throws
  }
}

Store::~Store() = default;

SavedBook Store::load() {
  return impl_->readers.with([](const Sqlite& database) { return load_book(database); });
}

void Store::save(const Changes& changes) {
  check(impl_->writer.has_value(), "a read-only store saves nothing");
  impl_->writer->save(changes);
}

}  // namespace convoy::dist
