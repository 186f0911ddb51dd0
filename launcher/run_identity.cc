#include "launcher/run_identity.h"

#include <fmt/chrono.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/base/check.h"
#include "core/io/file.h"
#include "dist/coordinator/book/run_name.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxModelInName = 40;

Json json_of(const RunIdentity& identity) {
  Json json = {{"run", identity.run}, {"generation", identity.generation}};
  const ConnectionOptions& connection = identity.connection;
  json["coordinator"] = identity.reporting == Reporting::kNone       ? "none"
                        : identity.reporting == Reporting::kEmbedded ? "embedded"
                                                                     : connection.address;
  if (identity.reporting == Reporting::kRemote) {
    json["token_file"] = connection.token_file.string();
    json["ca"] = connection.authority.string();
    json["cert"] = connection.certificate.string();
    json["key"] = connection.key.string();
  }
  return json;
}

// One that cannot be read is as good as none: the run then gets a new name.
RunIdentity read_identity(const fs::path& file) {
  RunIdentity identity;
  try {
    const std::vector<std::byte> bytes = io::read_file(file);
    const Json json = parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    identity.run = json.at("run").get<std::string>();
    identity.generation = count_of(json, "generation", INT64_MAX - 1);
    const std::string coordinator = json.value("coordinator", "embedded");
    if (coordinator == "none") {
      identity.reporting = Reporting::kNone;
    } else if (coordinator != "embedded") {
      identity.reporting = Reporting::kRemote;
      identity.connection = {.address = coordinator,
                             .token_file = json.value("token_file", ""),
                             .authority = json.value("ca", ""),
                             .certificate = json.value("cert", ""),
                             .key = json.value("key", "")};
    }
  } catch (const std::exception&) {
    return {};
  }
  return dist::is_run_name(identity.run) ? identity : RunIdentity();
}

void lay_over(ConnectionOptions& connection, const ConnectionOptions& said) {
  const auto replace = [](fs::path& path, const fs::path& with) {
    path = with.empty() ? path : fs::absolute(with);
  };
  replace(connection.token_file, said.token_file);
  replace(connection.authority, said.authority);
  replace(connection.certificate, said.certificate);
  replace(connection.key, said.key);
}

}  // namespace

std::string make_run_name(const std::string& model, std::chrono::system_clock::time_point now) {
  std::string word;
  for (const char c : fs::path(model).stem().string()) {
    const bool upper = c >= 'A' && c <= 'Z';
    const char lower = upper ? static_cast<char>(c - 'A' + 'a') : c;
    const bool allowed = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    word += allowed ? lower : '-';
  }
  std::random_device random;
  return fmt::format("{:%Y%m%d-%H%M}-{}-{:06x}", fmt::gmtime(now), word.substr(0, kMaxModelInName),
                     random() & 0xFFFFFFU);
}

RunIdentity next_generation(const fs::path& run_dir, const std::string& model,
                            const ReportOptions& options) {
  const fs::path file = run_dir / "run.json";
  RunIdentity identity = read_identity(file);
  if (identity.run.empty()) {
    identity.run = make_run_name(model, std::chrono::system_clock::now());
  }
  ++identity.generation;
  if (options.reporting) {
    identity.reporting = *options.reporting;
    identity.connection = {.address = options.connection.address};
  }
  lay_over(identity.connection, options.connection);
  const std::string text =
      json_of(identity).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  io::write_file_atomically(file, io::as_bytes(text));
  return identity;
}

}  // namespace convoy::launcher
