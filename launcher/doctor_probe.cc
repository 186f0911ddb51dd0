// The machine: processor, memory, disk, data.
#include "launcher/doctor_probe.h"
#include "launcher/core_binding.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "core/base/isa.h"
#include "core/blis/gemm.h"
#include "core/data/catalog.h"
#include "launcher/control_group.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

// Those that change how fast or with which bits convoy computes, and may soon.
constexpr std::array<std::string_view, 6> kInstructions = {"avx2",     "fma",         "avx512f",
                                                           "avx512vl", "avx512_bf16", "amx_bf16"};

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The value of "key : value" or "key: value"; empty without it.
std::string value_of(std::string_view key, const fs::path& file) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    if (line.starts_with(key) && colon != std::string::npos && value != std::string::npos) {
      return line.substr(value);
    }
  }
  return "";
}

bool has_files(const fs::path& directory) {
  return std::ranges::all_of(std::array{"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                        "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
                             [&](const char* name) {
                               return fs::exists(directory / name) ||
                                      fs::exists(directory / (std::string(name) + ".gz"));
                             });
}

std::vector<DataFacts> probe_data() {
  std::vector<DataFacts> facts;
  for (const std::string& name : data::dataset_names()) {
    const fs::path directory = data::default_data_dir(name);
    if (!directory.empty()) {
      facts.push_back(
          {.name = name, .directory = directory.string(), .found = has_files(directory)});
    }
  }
  return facts;
}

// Files that some process has mapped.
std::set<std::string> mapped_files() {
  std::set<std::string> files;
  for (const auto& process : fs::directory_iterator("/proc")) {
    std::ifstream maps(process.path() / "maps");
    for (std::string line; std::getline(maps, line);) {
      const std::size_t path = line.find("/dev/shm/");
      if (path != std::string::npos) {
        files.insert(line.substr(path));
      }
    }
  }
  return files;
}

// Open MPI's segment of a dead job: nobody has it mapped. One of a job that is just beginning may
// not be mapped yet, so those of the last minute are left alone.
void find_left_over(SharedMemoryFacts& facts) {
  std::error_code error;
  const std::string mine = fmt::format(".{}.", getuid());
  const std::set<std::string> mapped = mapped_files();
  for (const auto& file : fs::directory_iterator("/dev/shm", error)) {
    const std::string name = file.path().filename().string();
    const bool old =
        fs::file_time_type::clock::now() - file.last_write_time(error) > std::chrono::minutes(1);
    if (name.starts_with("vader_segment.") && name.find(mine) != std::string::npos && old &&
        !error && !mapped.contains(file.path().string())) {
      facts.left_over.push_back(file.path().string());
      facts.left_over_bytes += static_cast<std::int64_t>(file.file_size(error));
    }
  }
  std::ranges::sort(facts.left_over);
}

}  // namespace

std::vector<int> allowed_cpus() {
  std::vector<int> numbers;
  for (const Cpu& cpu : usable_cpus()) {
    numbers.push_back(cpu.number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

ProcessorFacts probe_processor() {
  ProcessorFacts facts = {.model = value_of("model name", "/proc/cpuinfo"),
                          .isa = std::string(isa_name(active_isa())),
                          .online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)),
                          .allowed = allowed_cpus(),
                          .quota = group_limits(text_of("/proc/self/cgroup")).cores};
  if (getloadavg(&facts.load, 1) != 1) {
    facts.load = 0.0;
  }
  if (facts.model.empty()) {
    facts.model = "a processor without a name";
  }
  const char* forced = std::getenv("CONVOY_ISA");
  facts.forced_isa = forced == nullptr ? "" : forced;
  std::istringstream flags(value_of("flags", "/proc/cpuinfo"));
  for (std::string flag; flags >> flag;) {
    if (std::ranges::find(kInstructions, flag) != kInstructions.end()) {
      facts.instructions.push_back(flag);
    }
  }
  return facts;
}

std::int64_t probe_memory_bytes() {
  const std::int64_t available =
      std::strtoll(value_of("MemAvailable", "/proc/meminfo").c_str(), nullptr, 10) * 1024;
  return std::min(available,
                  group_limits(text_of("/proc/self/cgroup")).memory_bytes.value_or(INT64_MAX));
}

DiskFacts probe_disk(const fs::path& directory) {
  // What is not there yet will be made below the nearest folder that is.
  fs::path there = fs::absolute(directory);
  while (!fs::exists(there) && there.has_relative_path()) {
    there = there.parent_path();
  }
  struct statvfs space = {};
  const bool known = statvfs(there.c_str(), &space) == 0;
  return {.directory = there.string(),
          .free_bytes = known ? static_cast<std::int64_t>(space.f_bavail * space.f_frsize) : 0,
          .writable = access(there.c_str(), W_OK | X_OK) == 0};
}

SharedMemoryFacts probe_shared_memory() {
  const fs::path directory = "/dev/shm";
  struct statvfs space = {};
  SharedMemoryFacts facts = {.copy_refusal = copy_refusal()};
  if (statvfs(directory.c_str(), &space) == 0) {
    facts.total_bytes = static_cast<std::int64_t>(space.f_blocks * space.f_frsize);
    facts.free_bytes = static_cast<std::int64_t>(space.f_bavail * space.f_frsize);
    facts.writable = access(directory.c_str(), W_OK | X_OK) == 0;
    find_left_over(facts);
  }
  return facts;
}

Facts probe(const DoctorOptions& options) {
  Facts facts = {.convoy = fmt::format("{}, {}", CONVOY_VERSION, kCompiler),
                 .blis = blis::describe(),
                 .grpc = probe_grpc(),
                 .root = geteuid() == 0,
                 .processor = probe_processor(),
                 .shared_memory = probe_shared_memory(),
                 .network = probe_network(),
                 .memory_bytes = probe_memory_bytes(),
                 .runs = probe_disk("runs"),
                 .temporary = probe_disk(fs::temp_directory_path()),
                 .data = probe_data()};
  const int cores = usable_cores(facts.processor);
  facts.ranks = options.ranks.value_or(cores);
  facts.threads = options.threads.value_or(std::max(1, cores / facts.ranks));
  facts.mpi = probe_mpi(facts.processor);
  return facts;
}

}  // namespace convoy::launcher
