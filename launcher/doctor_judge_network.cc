// The judgement of ports and network interfaces, which matter between hosts.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "launcher/doctor.h"

namespace convoy::launcher {
namespace {

// Bridges and tunnels that every host has for itself, often with the same address: Open MPI takes
// them for a way to the other hosts, and hangs.
constexpr std::array<std::string_view, 12> kPrivate = {"docker", "virbr",   "br-",  "veth",
                                                       "cni",    "flannel", "cali", "podman",
                                                       "lxc",    "lxdbr",   "tun",  "tap"};

bool is_private(const Interface& interface) {
  return std::ranges::any_of(
      kPrivate, [&](std::string_view prefix) { return interface.name.starts_with(prefix); });
}

std::string text_of(const std::vector<Interface>& interfaces) {
  std::vector<std::string> texts;
  for (const Interface& interface : interfaces) {
    texts.push_back(fmt::format("{} ({})", interface.name, interface.network));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

Finding judge_ports(const NetworkFacts& network) {
  if (!network.listen_refusal.empty()) {
    return {.level = Level::kProblem,
            .topic = "ports",
            .what = fmt::format("no TCP port can be opened: {}", network.listen_refusal),
            .fix = "ask whoever sets this machine's or container's network policy"};
  }
  if (network.port_range.empty()) {
    return {.topic = "ports",
            .what =
                "TCP ports can be opened; Open MPI takes any (behind a firewall set "
                "OMPI_MCA_btl_tcp_port_min_v4, OMPI_MCA_btl_tcp_port_range_v4 and "
                "OMPI_MCA_oob_tcp_dynamic_ipv4_ports)"};
  }
  if (network.free_ports == 0) {
    return {.level = Level::kProblem,
            .topic = "ports",
            .what = fmt::format("none is free in {}, which Open MPI is told to use",
                                network.port_range),
            .fix = "export OMPI_MCA_btl_tcp_port_min_v4=PORT with others, or unset it"};
  }
  return {
      .topic = "ports",
      .what = fmt::format("Open MPI is told to use {}; free ones are there", network.port_range)};
}

Finding judge_interfaces(const NetworkFacts& network) {
  std::vector<Interface> real;
  std::ranges::remove_copy_if(network.interfaces, std::back_inserter(real), is_private);
  Finding finding = {.topic = "network"};
  if (!network.chosen.empty()) {
    finding.what = fmt::format("Open MPI is told to use {}", network.chosen);
  } else if (network.interfaces.empty()) {
    finding.what = "no interface but loopback: one host only";
  } else if (real.empty()) {
    finding.what = fmt::format("{} only: one host", text_of(network.interfaces));
  } else if (real.size() < network.interfaces.size()) {
    std::vector<Interface> traps;
    std::ranges::copy_if(network.interfaces, std::back_inserter(traps), is_private);
    finding.level = Level::kNote;
    finding.what = fmt::format(
        "{}; with several hosts Open MPI would also try {}, which leads nowhere, and hang",
        text_of(real), text_of(traps));
    finding.fix =
        fmt::format("export OMPI_MCA_btl_tcp_if_include={0} OMPI_MCA_oob_tcp_if_include={0}",
                    real.front().network);
  } else {
    finding.what = fmt::format("between hosts Open MPI would use {}", text_of(real));
  }
  return finding;
}

}  // namespace

std::vector<Finding> judge_network(const NetworkFacts& network) {
  std::vector<Finding> findings;
  if (!network.loopback) {
    findings.push_back({.level = Level::kProblem,
                        .topic = "network",
                        .what = "no connection to 127.0.0.1; mpirun talks to its ranks by it",
                        .fix = "ip link set lo up"});
  }
  findings.push_back(judge_interfaces(network));
  findings.push_back(judge_ports(network));
  return findings;
}

}  // namespace convoy::launcher
