// The MPI door: the only file that sees mpi.h. Everything above uses messages through a
// Communicator; MPI's collectives are used at the beginning and the end only.
#include <mpi.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdio>
#include <exception>
#include <vector>

#include "dist/job.h"
#include "dist/job_environment.h"
#include "dist/shared_memory.h"
#include "dist/shared_memory_files.h"

namespace convoy::dist {
namespace {

std::string mpi_error(int code) {
  std::array<char, MPI_MAX_ERROR_STRING> text = {};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  return {text.data(), static_cast<std::size_t>(length)};
}

void check_mpi(int code, const char* call) {
  if (code != MPI_SUCCESS) {
    fail("{}: {}", call, mpi_error(code));
  }
}

// MPI from its initialization to its end.
class Session {
 public:
  Session() {
    int level = MPI_THREAD_SINGLE;
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &level), "MPI_Init_thread");
    check(level >= MPI_THREAD_MULTIPLE,
          "MPI gives thread level {}, convoy needs MPI_THREAD_MULTIPLE ({})\nUse an Open MPI built "
          "with thread support, such as Debian's.",
          level, MPI_THREAD_MULTIPLE);
    check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN),
              "MPI_Comm_set_errhandler");
    check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    read_hosts();
    shared_memory_ = mapped_shared_memory_files();
    check_mpi(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");  // all ranks have mapped them
    unlink_files(shared_memory_);
  }

  // Waits for all ranks. One that leaves because of an exception must not: the others may be
  // waiting for its messages, and `main` ends them by abort_job.
  ~Session() {
    if (std::uncaught_exceptions() == 0) {
      MPI_Barrier(MPI_COMM_WORLD);
      restore_files(shared_memory_);
      MPI_Barrier(MPI_COMM_WORLD);
      MPI_Finalize();
    }
  }

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int size() const { return size_; }
  const std::string& host(int rank) const { return hosts_.at(static_cast<std::size_t>(rank)); }

 private:
  void read_hosts() {
    using Name = std::array<char, MPI_MAX_PROCESSOR_NAME>;
    Name mine = {};
    int length = 0;
    check_mpi(MPI_Get_processor_name(mine.data(), &length), "MPI_Get_processor_name");
    std::vector<Name> names(static_cast<std::size_t>(size_));
    check_mpi(MPI_Allgather(mine.data(), MPI_MAX_PROCESSOR_NAME, MPI_CHAR, names.data(),
                            MPI_MAX_PROCESSOR_NAME, MPI_CHAR, MPI_COMM_WORLD),
              "MPI_Allgather");
    for (const Name& name : names) {
      hosts_.emplace_back(name.data());
    }
  }

  int size_ = 0;
  std::vector<std::string> hosts_;
  std::vector<std::string> shared_memory_;
};

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator(std::shared_ptr<const Session> session, MPI_Comm original)
      : session_(std::move(session)) {
    check_mpi(MPI_Comm_dup(original, &communicator_), "MPI_Comm_dup");
    check_mpi(MPI_Comm_rank(communicator_, &rank_), "MPI_Comm_rank");
  }
  ~MpiCommunicator() override {
    if (std::uncaught_exceptions() == 0) {
      MPI_Comm_free(&communicator_);
    }
  }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return session_->size(); }
  std::string host(int rank) const override { return session_->host(rank); }

  Transfer send(std::span<const std::byte> bytes, int to, int tag) override {
    const int count = checked_count(bytes.size(), to, tag);
    const int slot = take_slot(count);
    check_mpi(MPI_Isend(bytes.data(), count, MPI_BYTE, to, tag, communicator_, request(slot)),
              "MPI_Isend");
    return {.id = slot, .peer = to, .sending = true};
  }

  Transfer receive(std::span<std::byte> bytes, int from, int tag) override {
    const int count = checked_count(bytes.size(), from, tag);
    const int slot = take_slot(count);
    check_mpi(MPI_Irecv(bytes.data(), count, MPI_BYTE, from, tag, communicator_, request(slot)),
              "MPI_Irecv");
    return {.id = slot, .peer = from};
  }

  bool done(Transfer& transfer) override {
    if (transfer.id < 0) {
      return true;
    }
    int flag = 0;
    MPI_Status status = {};
    const int code = MPI_Test(request(transfer.id), &flag, &status);
    if (code == MPI_SUCCESS && flag == 0) {
      return false;
    }
    check_done(transfer, code, status);
    free_.push_back(transfer.id);
    transfer.id = -1;
    return true;
  }

  std::unique_ptr<Communicator> duplicate() override {
    auto copy = std::make_unique<MpiCommunicator>(session_, communicator_);
    copy->set_timeout(timeout());
    copy->shares_memory_ = shares_memory_;
    return copy;
  }

  /// Finds out by trying whether it works; a collective.
  void try_shared_memory() { shares_memory_ = size() > 1 && !share_memory(*this, 1).empty(); }
  bool shares_memory() const override { return shares_memory_; }
  std::vector<std::shared_ptr<std::byte[]>> share(std::size_t bytes) override {
    auto blocks = share_memory(*this, bytes);
    check(!blocks.empty(), "the {} ranks of {} cannot share {} bytes of memory each", size(),
          host(rank_), bytes);
    return blocks;
  }

 private:
  // A message on its way. Slots are used again, so that a step allocates nothing.
  struct Slot {
    MPI_Request request = MPI_REQUEST_NULL;
    int bytes = 0;
  };

  int checked_count(std::size_t bytes, int peer, int tag) const {
    check(bytes <= INT_MAX, "a message of {} bytes: MPI takes up to {}", bytes, INT_MAX);
    check(peer >= 0 && peer < size() && peer != rank_ && tag >= 0 && tag <= kMaxTag,
          "a message between {} and rank {} of {} with tag {}", name(rank_), peer, size(), tag);
    return static_cast<int>(bytes);
  }

  int take_slot(int bytes) {
    if (free_.empty()) {
      free_.push_back(static_cast<int>(slots_.size()));
      slots_.emplace_back();
      free_.reserve(slots_.capacity());
    }
    const int slot = free_.back();
    free_.pop_back();
    slots_[static_cast<std::size_t>(slot)].bytes = bytes;
    return slot;
  }

  MPI_Request* request(int slot) { return &slots_[static_cast<std::size_t>(slot)].request; }

  // A message that is too long comes with an error. Open MPI 4.1 notices it after the fact if the
  // message is of some kilobytes: then it has written beyond the buffer already. So lengths follow
  // from what all ranks have agreed on before; this check is the net below.
  void check_done(const Transfer& transfer, int code, const MPI_Status& status) const {
    int error_class = MPI_SUCCESS;
    MPI_Error_class(code, &error_class);
    check(error_class == MPI_SUCCESS || error_class == MPI_ERR_TRUNCATE,
          "the message {} {} was lost ({}): {}", transfer.sending ? "to" : "from",
          name(transfer.peer), activity(), mpi_error(code));
    if (!transfer.sending) {
      const int expected = slots_[static_cast<std::size_t>(transfer.id)].bytes;
      int count = 0;
      check_mpi(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
      check(count == expected, "{} sent {} bytes, {} were expected ({})", name(transfer.peer),
            count, expected, activity());
    }
  }

  std::shared_ptr<const Session> session_;
  MPI_Comm communicator_ = MPI_COMM_NULL;
  int rank_ = 0;
  bool shares_memory_ = false;
  std::vector<Slot> slots_;
  std::vector<int> free_;
};

}  // namespace

bool in_mpi_job() {
  return job_environment().launched;
}

bool built_with_mpi() {
  return true;
}

std::string mpi_library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text = {};
  int length = 0;
  // One of the few calls that MPI allows before its initialization; explaining an error is not.
  check(MPI_Get_library_version(text.data(), &length) == MPI_SUCCESS,
        "MPI_Get_library_version failed");
  return {text.data(), static_cast<std::size_t>(length)};
}

std::unique_ptr<Communicator> join_job() {
  const JobEnvironment environment = job_environment();
  if (!environment.launched) {
    return std::make_unique<LocalCommunicator>();
  }
  auto session = std::make_shared<const Session>();
  // A launcher of another MPI: each rank would take itself for the only one.
  check(environment.ranks.value_or(session->size()) == session->size(),
        "the launcher started {} ranks, but MPI knows {}\nIt belongs to another MPI than convoy "
        "was built with (Open MPI): use Open MPI's mpirun, or `convoy train -n`.",
        environment.ranks.value_or(0), session->size());
  auto job = std::make_unique<MpiCommunicator>(std::move(session), MPI_COMM_WORLD);
  job->try_shared_memory();
  return job;
}

void abort_job(int exit_code) {
  std::fflush(nullptr);
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (initialized != 0 && finalized == 0) {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
  }
  _exit(exit_code);
}

}  // namespace convoy::dist
