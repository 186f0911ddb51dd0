#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/json.h"
#include "tests/launcher/command_line.h"

namespace convoy::launcher {
namespace {

using testing::parse_as;
using testing::refusal_of_train;

ReportOptions report_of(std::vector<std::string> words) {
  words.insert(words.begin(), "train");
  return parse_as<TrainOptions>(words).report;
}

TEST(ReportFlagsTest, SayWhichCoordinator) {
  EXPECT_EQ(report_of({}).reporting, std::nullopt);
  EXPECT_EQ(report_of({"--coordinator", "embedded"}).reporting, Reporting::kEmbedded);
  EXPECT_EQ(report_of({"--coordinator=none"}).reporting, Reporting::kNone);
  const ReportOptions remote =
      report_of({"--coordinator", "[::1]:7070", "--coordinator-token-file", "t", "--coordinator-ca",
                 "a", "--coordinator-cert", "c", "--coordinator-key", "k"});
  EXPECT_EQ(remote.reporting, Reporting::kRemote);
  EXPECT_EQ(remote.connection.address, "[::1]:7070");
  EXPECT_EQ(remote.connection.token_file, "t");
  EXPECT_EQ(remote.connection.authority, "a");
  EXPECT_EQ(remote.connection.certificate, "c");
  EXPECT_EQ(remote.connection.key, "k");
  // The last counts, and forgets the address before it.
  EXPECT_TRUE(
      report_of({"--coordinator", "a:1", "--coordinator", "none"}).connection.address.empty());
}

TEST(ReportFlagsTest, RefuseWhatIsNoAddress) {
  for (const char* address : {"node1", "node1:", ":7070", "node1:x", "node1:70000", "embeded"}) {
    EXPECT_THAT(refusal_of_train({"--coordinator", address}), ::testing::HasSubstr("HOST:PORT"));
  }
}

TEST(ReportFlagsTest, AreRankZerosBusinessAlone) {
  TrainOptions one;
  TrainOptions other;
  other.report = report_of({"--coordinator", "node1:7070"});
  EXPECT_EQ(config_text(one), config_text(other));  // what ranks compare comes from this
}

}  // namespace
}  // namespace convoy::launcher
