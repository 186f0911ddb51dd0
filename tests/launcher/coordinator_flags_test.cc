#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "convoy/v1/coordinator.pb.h"
#include "tests/launcher/command_line.h"

namespace convoy::launcher {
namespace {

using ::testing::HasSubstr;
using testing::parse;
using testing::parse_as;
using testing::refusal;

TEST(CoordinatorFlagsTest, StatusTakesARunAndWhatToShow) {
  const auto options =
      parse_as<StatusOptions>({"status", "runs/latest", "--watch", "--ranks", "--history", "--all",
                               "--json", "--interval", "0.5"});
  EXPECT_EQ(options.run, "runs/latest");
  EXPECT_TRUE(options.watch && options.ranks && options.history && options.all && options.json);
  EXPECT_EQ(options.interval, std::chrono::milliseconds(500));
  const auto plain = parse_as<StatusOptions>({"status"});
  EXPECT_EQ(plain.run, "");
  EXPECT_FALSE(plain.watch || plain.ranks || plain.history || plain.all || plain.json);
  EXPECT_THAT(refusal({"status", "--interval", "0"}), HasSubstr("--interval '0'"));
}

TEST(CoordinatorFlagsTest, StatusAndStopReachACoordinatorElsewhere) {
  const std::vector<std::string> words = {
      "--coordinator",      "node1:7070", "--coordinator-token-file", "t", "--coordinator-ca", "ca",
      "--coordinator-cert", "c",          "--coordinator-key",        "k"};
  std::vector<std::string> status = {"status"};
  status.insert(status.end(), words.begin(), words.end());
  const ConnectionOptions connection = parse_as<StatusOptions>(status).connection;
  EXPECT_EQ(connection.address, "node1:7070");
  EXPECT_EQ(connection.token_file, "t");
  EXPECT_EQ(connection.authority, "ca");
  EXPECT_EQ(connection.certificate, "c");
  EXPECT_EQ(connection.key, "k");
  status.front() = "stop";
  EXPECT_EQ(parse_as<StopOptions>(status).connection.address, "node1:7070");
  for (const char* bad : {"node1", "node1:", ":7070", "node1:70700", "node1:x", "node1:-1"}) {
    EXPECT_THAT(refusal({"status", std::string("--coordinator=") + bad}),
                HasSubstr("must be HOST:PORT"));
  }
}

TEST(CoordinatorFlagsTest, StopTakesAReasonAndWaits) {
  const auto options = parse_as<StopOptions>(
      {"stop", "a", "--reason", "needed elsewhere", "--wait", "--timeout", "7"});
  EXPECT_EQ(options.run, "a");
  EXPECT_EQ(options.reason, "needed elsewhere");
  EXPECT_TRUE(options.wait);
  EXPECT_EQ(options.timeout, std::chrono::seconds(7));
}

TEST(CoordinatorFlagsTest, CoordinatorTakesWhereAndWhatToKeep) {
  const auto options = parse_as<CoordinatorOptions>(
      {"coordinator", "--state-dir",  "s",        "--listen",    "0.0.0.0:0", "--token-file",
       "t",           "--tls-cert",   "c",        "--tls-key",   "k",         "--tls-client-ca",
       "a",           "--http",       "[::1]:80", "--log-level", "debug",     "--keep-days",
       "7",           "--keep-steps", "1000",     "--json"});
  EXPECT_EQ(options.state_dir, "s");
  EXPECT_EQ(options.listen, "0.0.0.0:0");
  EXPECT_EQ(options.token_file, "t");
  EXPECT_EQ(options.certificate, "c");
  EXPECT_EQ(options.key, "k");
  EXPECT_EQ(options.client_authority, "a");
  EXPECT_EQ(options.http, "[::1]:80");
  EXPECT_EQ(options.log_level, v1::LOG_LEVEL_DEBUG);
  EXPECT_EQ(options.keep_days, 7);
  EXPECT_EQ(options.keep_steps, 1000);
  EXPECT_TRUE(options.json);
  const auto plain = parse_as<CoordinatorOptions>({"coordinator", "--state-dir=s", "--http=none"});
  EXPECT_EQ(plain.listen, "127.0.0.1:7070");
  EXPECT_EQ(plain.http, "");
  EXPECT_EQ(plain.log_level, v1::LOG_LEVEL_INFO);
  EXPECT_THAT(refusal({"coordinator"}), HasSubstr("--state-dir DIR"));
  EXPECT_THAT(refusal({"coordinator", "--state-dir=s", "--log-level=debgu"}), HasSubstr("debug"));
}

TEST(CoordinatorFlagsTest, LogLevelIsACommandOfTheCoordinator) {
  const auto options = parse_as<LogLevelOptions>({"coordinator", "log-level", "error"});
  EXPECT_EQ(options.level, v1::LOG_LEVEL_ERROR);
  EXPECT_EQ(options.connection.address, "127.0.0.1:7070");
  EXPECT_THAT(refusal({"coordinator", "log-level"}), HasSubstr("LEVEL"));
  EXPECT_THAT(refusal({"coordinator", "log-level", "loud"}), HasSubstr("must be one of error"));
}

TEST(CoordinatorFlagsTest, HelpShowsTheCommands) {
  const std::string overview = std::get<HelpText>(parse({"--help"})).text;
  for (const char* command : {"convoy status", "convoy stop", "convoy coordinator"}) {
    EXPECT_THAT(overview, HasSubstr(command));
  }
  EXPECT_THAT(std::get<HelpText>(parse({"coordinator", "--help"})).text, HasSubstr("--state-dir"));
  EXPECT_THAT(std::get<HelpText>(parse({"status", "--help"})).text,
              HasSubstr("convoy status [RUN] [options]"));
}

}  // namespace
}  // namespace convoy::launcher
