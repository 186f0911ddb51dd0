// `convoy doctor`: what is judged, and the judgement. Facts come from launcher/doctor_probe.h,
// which asks the system; judging is a pure function of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace convoy::launcher {

/// A rank of a small job that was really run.
struct RankFacts {
  int rank = 0;
  std::string host = {};
  std::vector<int> cpus = {};  ///< that it may run on
};

/// A small job that was really run: its ranks joined, sent each other a message of a MiB and left.
struct JobFacts {
  std::string command = {};  ///< as a person would type it
  int ranks = 0;
  int exit_code = 0;
  bool timed_out = false;
  std::string errors = {};           ///< what it said on stderr
  std::vector<RankFacts> seen = {};  ///< the ranks that got through
};

struct MpiFacts {
  bool built_in = false;
  std::string library = {};  ///< what MPI calls itself, with its version
  std::string mpirun = {};   ///< its file; empty: none in PATH
  std::string mpirun_version = {};
  std::vector<JobFacts> plain = {};       ///< by mpirun as it is
  std::optional<JobFacts> launched = {};  ///< by mpirun as `convoy train -n` calls it
};

struct ProcessorFacts {
  std::string model = {};
  std::vector<std::string> instructions = {};  ///< of those that matter to convoy
  std::string isa = {};                        ///< in use
  std::string forced_isa = {};                 ///< CONVOY_ISA
  int online = 0;                              ///< cores of the machine
  std::vector<int> allowed = {};               ///< that this process may run on
  double load = 0.0;                           ///< programs that want a core, over a minute
  std::optional<double> quota = {};            ///< cores that its control group may use
};

struct SharedMemoryFacts {
  std::int64_t total_bytes = 0;
  std::int64_t free_bytes = 0;
  bool writable = false;
  std::vector<std::string> left_over = {};  ///< files of this user's dead MPI jobs
  std::int64_t left_over_bytes = 0;
  std::string copy_refusal = {};  ///< why a process cannot read another's memory; empty: it can
};

struct Interface {
  std::string name = {};
  std::string network = {};  ///< "192.0.2.0/24"
};

struct NetworkFacts {
  bool loopback = false;                   ///< a connection to 127.0.0.1 works
  std::string listen_refusal = {};         ///< why no TCP port can be opened; empty: it can
  std::string port_range = {};             ///< that Open MPI is told to use; empty: any
  int free_ports = 0;                      ///< in that range, of those that were tried
  std::vector<Interface> interfaces = {};  ///< up, with an IPv4 address, without loopback
  std::string chosen = {};                 ///< that Open MPI is told to use; empty: all
};

struct DiskFacts {
  std::string directory = {};
  std::int64_t free_bytes = 0;
  bool writable = false;
};

struct DataFacts {
  std::string name = {};
  std::string directory = {};
  bool found = false;
};

struct Facts {
  std::string convoy = {};  ///< version and compiler
  std::string blis = {};    ///< version and kernels
  std::string grpc = {};    ///< version; empty: built without the coordinator
  bool root = false;
  MpiFacts mpi = {};
  ProcessorFacts processor = {};
  SharedMemoryFacts shared_memory = {};
  NetworkFacts network = {};
  std::int64_t memory_bytes = 0;  ///< available to this process
  DiskFacts runs = {};
  DiskFacts temporary = {};
  std::vector<DataFacts> data = {};
  int ranks = 1;    ///< wanted on this machine
  int threads = 1;  ///< wanted for each
};

/// Cores that this process can really use: allowed ones, cut by the quota; at least 1.
int usable_cores(const ProcessorFacts& processor);

enum class Level { kOk, kNote, kProblem };

struct Finding {
  Level level = Level::kOk;
  std::string topic = {};
  std::string what = {};  ///< a line
  std::string fix = {};   ///< what to do or type, unless all is well
};

/// One finding or more for every topic, in the order of `Facts`.
std::vector<Finding> judge(const Facts& facts);
std::vector<Finding> judge_mpi(const MpiFacts& mpi, const ProcessorFacts& processor, bool root);
std::vector<Finding> judge_network(const NetworkFacts& network);

/// "4.1.4": the first version number in what a program says of itself; "" without any.
std::string version_in(const std::string& text);

/// A table with the fix below what is not well, and a closing line.
std::string findings_text(const std::vector<Finding>& findings, bool colour);
std::string findings_json(const std::vector<Finding>& findings);

}  // namespace convoy::launcher
