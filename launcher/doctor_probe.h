// Asks the system for what launcher/doctor.h judges. Nothing here has an opinion, and nothing waits
// longer than a deadline.
#pragma once

#include <filesystem>
#include <string>

#include "launcher/doctor.h"
#include "launcher/options.h"

namespace convoy::launcher {

/// Everything. Runs a few jobs of two ranks, which takes some seconds.
Facts probe(const DoctorOptions& options);

ProcessorFacts probe_processor();
std::int64_t probe_memory_bytes();
SharedMemoryFacts probe_shared_memory();
DiskFacts probe_disk(const std::filesystem::path& directory);
NetworkFacts probe_network();
MpiFacts probe_mpi(const ProcessorFacts& processor);
/// The version of gRPC, which the coordinator speaks; empty if it was left out.
std::string probe_grpc();

/// Why a process of this user cannot read another's memory as Open MPI's shared memory transport
/// does (process_vm_readv between two children of one parent); empty if it can.
std::string copy_refusal();

/// The ranks that said their line in what a job printed.
std::vector<RankFacts> parse_ranks(const std::string& output);

/// Cores that this process may run on.
std::vector<int> allowed_cpus();

}  // namespace convoy::launcher
