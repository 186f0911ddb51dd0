#include "dist/coordinator/coordinator.h"

#include <list>
#include <mutex>

#include "dist/coordinator/book/run_book.h"
#include "dist/coordinator/committer.h"
#include "dist/coordinator/store/store.h"

namespace convoy::dist {
namespace {

// A finished run is looked at however old it is.
constexpr std::chrono::hours kForever{24 * 365 * 100};

// Who wants to know which runs change.
class Audience {
 public:
  using Changed = std::function<void(const std::string& run)>;
  using Place = std::list<Changed>::iterator;

  Place add(Changed changed) {
    const std::lock_guard lock(mutex_);
    return members_.insert(members_.end(), std::move(changed));
  }
  void remove(Place place) {
    const std::lock_guard lock(mutex_);
    members_.erase(place);
  }
  void tell(const std::string& run) {
    const std::lock_guard lock(mutex_);
    for (const Changed& changed : members_) {
      changed(run);
    }
  }

 private:
  std::mutex mutex_;
  std::list<Changed> members_;
};

class Membership : public Coordinator::Subscription {
 public:
  Membership(std::shared_ptr<Audience> audience, Audience::Changed changed)
      : audience_(std::move(audience)), place_(audience_->add(std::move(changed))) {}
  ~Membership() override { audience_->remove(place_); }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

 private:
  std::shared_ptr<Audience> audience_;
  Audience::Place place_;
};

// What the file does not give is the disk's fault, and may be well again.
template <typename Read>
auto reading(const Read& read) {
  try {
    return read();
  } catch (const Refusal&) {
    throw;
  } catch (const Error& error) {
    throw Refusal(Refusal::Kind::kUnavailable, error.what());
  }
}

}  // namespace

class Coordinator::Impl {
 public:
  explicit Impl(Options options)
      : clock_(std::move(options.clock)),
        store_({.database = options.database, .read_only = options.read_only}),
        book_(limits_of(options), store_.load()),
        audience_(std::make_shared<Audience>()) {
    if (options.read_only) {
      book_.tick(clock_());
      return;
    }
    book_.renew_leases(clock_());
    committer_ = std::make_unique<Committer>(Committer::Parts{
        .book = book_, .store = store_, .clock = clock_, .changed = [this](const std::string& run) {
          audience_->tell(run);
        }});
  }

  template <typename Tell>
  auto tell(Done done, const Tell& tell) {
    return committer().tell(std::move(done), tell);
  }

  v1::RegisterRunResponse register_run(const v1::RegisterRunRequest& request, Done done) {
    const History history = [this](std::int64_t run_id, std::int64_t epoch, std::int64_t last) {
      return store_.totals(run_id, epoch, last);
    };
    return committer().tell_after_saving(std::move(done), [&](RunBook& book, Time now) {
      return reading([&] { return book.register_run(request, now, history); });
    });
  }

  template <typename Ask>
  auto ask(const Ask& ask) const {
    return committer_ != nullptr ? committer_->ask(ask) : ask(book_, clock_());
  }

  std::int64_t run_id(const std::string& run) const {
    return ask([&](const RunBook& book, Time) { return book.run_id(run); });
  }
  const Store& store() const { return store_; }

  std::unique_ptr<Subscription> subscribe(Audience::Changed changed) {
    return std::make_unique<Membership>(audience_, std::move(changed));
  }

 private:
  static CoordinatorLimits limits_of(const Options& options) {
    CoordinatorLimits limits = options.limits;
    if (options.read_only) {
      limits.keep_ended = kForever;
    }
    return limits;
  }

  Committer& committer() {
    if (committer_ == nullptr) {
      refuse(Refusal::Kind::kUnavailable, "this coordinator only answers questions");
    }
    return *committer_;
  }

  std::function<Time()> clock_;
  Store store_;
  RunBook book_;
  std::shared_ptr<Audience> audience_;
  std::unique_ptr<Committer> committer_;  // last, for it uses the others; none if read-only
};

Coordinator::Coordinator(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Coordinator::~Coordinator() = default;

v1::RegisterRunResponse Coordinator::register_run(const v1::RegisterRunRequest& request,
                                                  Done done) {
  return impl_->register_run(request, std::move(done));
}

v1::ReportProgressResponse Coordinator::report_progress(const v1::ReportProgressRequest& request,
                                                        Done done) {
  return impl_->tell(std::move(done),
                     [&](RunBook& book, Time now) { return book.report_progress(request, now); });
}

v1::FinishEpochResponse Coordinator::finish_epoch(const v1::FinishEpochRequest& request,
                                                  Done done) {
  return impl_->tell(std::move(done),
                     [&](RunBook& book, Time now) { return book.finish_epoch(request, now); });
}

v1::HeartbeatResponse Coordinator::heartbeat(const v1::HeartbeatRequest& request, Done done) {
  return impl_->tell(std::move(done),
                     [&](RunBook& book, Time now) { return book.heartbeat(request, now); });
}

v1::FinishRunResponse Coordinator::finish_run(const v1::FinishRunRequest& request, Done done) {
  return impl_->tell(std::move(done),
                     [&](RunBook& book, Time now) { return book.finish_run(request, now); });
}

v1::Run Coordinator::stop_run(const v1::StopRunRequest& request, Done done) {
  return impl_->tell(std::move(done),
                     [&](RunBook& book, Time now) { return book.stop_run(request, now); });
}

v1::Run Coordinator::get_run(const v1::GetRunRequest& request) const {
  return impl_->ask([&](const RunBook& book, Time now) { return book.get_run(request, now); });
}

v1::ListRunsResponse Coordinator::list_runs(const v1::ListRunsRequest& request) const {
  return impl_->ask([&](const RunBook& book, Time now) { return book.list_runs(request, now); });
}

v1::ListRanksResponse Coordinator::list_ranks(const v1::ListRanksRequest& request) const {
  return impl_->ask([&](const RunBook& book, Time now) { return book.list_ranks(request, now); });
}

v1::ListStepsResponse Coordinator::list_steps(const v1::ListStepsRequest& request) const {
  const std::int64_t run_id = impl_->run_id(request.run());
  return reading([&] { return impl_->store().list_steps(request, run_id); });
}

v1::ListEpochsResponse Coordinator::list_epochs(const v1::ListEpochsRequest& request) const {
  const std::int64_t run_id = impl_->run_id(request.run());
  return reading([&] { return impl_->store().list_epochs(request, run_id); });
}

v1::ListEventsResponse Coordinator::list_events(const v1::ListEventsRequest& request) const {
  if (!request.run().empty()) {
    impl_->run_id(request.run());
  }
  return reading([&] { return impl_->store().list_events(request); });
}

std::unique_ptr<Coordinator::Subscription> Coordinator::subscribe(
    std::function<void(const std::string& run)> changed) {
  return impl_->subscribe(std::move(changed));
}

}  // namespace convoy::dist
