#include "core/io/safetensors.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/io/file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace convoy::io {
namespace {

using testing::expect_error;

// A file of this header and so many bytes 0, 1, 2, ... of data.
std::vector<std::byte> file_of(std::string_view header, std::size_t data_bytes) {
  std::vector<std::byte> bytes(8 + header.size() + data_bytes);
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  for (std::size_t i = 0; i < data_bytes; ++i) {
    bytes[8 + header.size() + i] = static_cast<std::byte>(i);
  }
  return bytes;
}

// A file with one tensor, "t", whose elements have these bytes.
template <typename Stored>
StoredTensor parse_one(std::string_view dtype, const std::vector<Stored>& elements) {
  const std::size_t data_bytes = elements.size() * sizeof(Stored);
  auto bytes = file_of(fmt::format(R"({{"t":{{"dtype":"{}","shape":[{}],"data_offsets":[0,{}]}}}})",
                                   dtype, elements.size(), data_bytes),
                       data_bytes);
  std::memcpy(bytes.data() + bytes.size() - data_bytes, elements.data(), data_bytes);
  return parse_safetensors(bytes, "file").tensors.at("t");
}

std::vector<float> values_of(const StoredTensor& tensor) {
  return {tensor.values.values().begin(), tensor.values.values().end()};
}

template <typename... Parts>
void expect_refused(std::string_view header, std::size_t data_bytes, const Parts&... parts) {
  expect_error([&] { parse_safetensors(file_of(header, data_bytes), "dir/file"); },
               "dir/file: ", parts...);
}

// Written out by hand from the format's description.
TEST(SafetensorsTest, KnownFileByteForByte) {
  SafetensorsFile file;
  file.metadata = {{"format", "pt"}};
  file.tensors["w"] = {Tensor::of({1, 2}, std::array{1.0F, -2.0F})};
  file.tensors["n"] = {Tensor::of({}, std::array{3.0F}), Dtype::kI64};
  using std::string_literals::operator""s;
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("w":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}})";
  ASSERT_EQ(header.size(), 140U);
  const std::string expected = "\x90\0\0\0\0\0\0\0"s + header + "    " + "\3\0\0\0\0\0\0\0"s +
                               "\0\0\x80\x3f"s + "\0\0\0\xc0"s;
  const std::vector<std::byte> bytes = serialize_safetensors(file);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), expected);

  const SafetensorsFile read = parse_safetensors(bytes, "file");
  EXPECT_EQ(read.metadata, file.metadata);
  EXPECT_EQ(values_of(read.tensors.at("w")), (std::vector{1.0F, -2.0F}));
  EXPECT_EQ(read.tensors.at("w").values.shape(), (Shape{1, 2}));
  EXPECT_EQ(read.tensors.at("n").dtype, Dtype::kI64);
  EXPECT_EQ(read.tensors.at("n").values.shape(), Shape());
  EXPECT_EQ(values_of(read.tensors.at("n")), (std::vector{3.0F}));
}

TEST(SafetensorsTest, FileOnDiskComesBack) {
  const testing::TemporaryDirectory directory;
  SafetensorsFile file;
  file.tensors["empty"] = {Tensor(Shape{0, 3})};
  file.tensors["name \" \xc3\xa4"] = {Tensor::full({2, 3, 4, 5}, 0.5F)};
  write_safetensors(directory.path() / "f.safetensors", file);
  const SafetensorsFile read = read_safetensors(directory.path() / "f.safetensors");
  ASSERT_EQ(read.tensors.size(), 2U);
  EXPECT_EQ(read.tensors.at("empty").values.shape(), (Shape{0, 3}));
  EXPECT_EQ(read.tensors.at("name \" \xc3\xa4").values.shape(), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(values_of(read.tensors.at("name \" \xc3\xa4")), std::vector<float>(120, 0.5F));
  EXPECT_EQ(serialize_safetensors(read), serialize_safetensors(file));
}

TEST(SafetensorsTest, EveryReadableDtypeBecomesFloat) {
  EXPECT_EQ(values_of(parse_one<float>("F32", {1.5F, -0.0F})), (std::vector{1.5F, -0.0F}));
  EXPECT_EQ(values_of(parse_one<double>("F64", {1.5, 1e300})),
            (std::vector{1.5F, std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(values_of(parse_one<std::int64_t>("I64", {-7, 1 << 24})),
            (std::vector{-7.0F, 16777216.0F}));
  EXPECT_EQ(values_of(parse_one<std::uint16_t>("BF16", {0x3fc0, 0xc2f7})),
            (std::vector{1.5F, -123.5F}));
  // 1.5, -2, largest, smallest normal, largest and smallest subnormal, minus that, infinity
  EXPECT_EQ(values_of(parse_one<std::uint16_t>(
                "F16", {0x3e00, 0xc000, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x8001, 0xfc00})),
            (std::vector{1.5F, -2.0F, 65504.0F, 0x1p-14F, 0x1p-14F - 0x1p-24F, 0x1p-24F, -0x1p-24F,
                         -std::numeric_limits<float>::infinity()}));
  EXPECT_TRUE(std::isnan(values_of(parse_one<std::uint16_t>("F16", {0x7e00}))[0]));
  EXPECT_TRUE(std::signbit(values_of(parse_one<std::uint16_t>("F16", {0x8000}))[0]));
}

TEST(SafetensorsTest, TensorsMayLieInAnyOrderAndHeaderMayEndInSpaces) {
  const auto file =
      parse_safetensors(file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                                R"("b":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}   )",
                                8),
                        "file");
  float first = 0.0F;
  std::memcpy(&first, "\0\1\2\3", 4);
  EXPECT_EQ(values_of(file.tensors.at("b")), std::vector{first});
  EXPECT_TRUE(parse_safetensors(file_of("{}", 0), "file").tensors.empty());
}

TEST(SafetensorsTest, TruncatedLengthIsRefused) {
  const auto bytes = file_of("{}", 0);
  expect_error([&] { parse_safetensors(std::span(bytes).first(7), "file"); }, "7 bytes");
  expect_error([&] { parse_safetensors({}, "file"); }, "0 bytes");
}

TEST(SafetensorsTest, HeaderLengthBeyondTheCapOrTheFileIsRefused) {
  auto bytes = file_of("{}", 100);
  const auto announce = [&](std::uint64_t length) {
    std::memcpy(bytes.data(), &length, 8);
    return [&] { parse_safetensors(bytes, "file"); };
  };
  expect_error(announce(103), "a header of 103 bytes is announced, 102 are left");
  expect_error(announce(100'000'001), "at most 100000000");
  expect_error(announce(~std::uint64_t{0}), "at most 100000000");
}

TEST(SafetensorsTest, HeaderThatIsNotJsonIsRefusedWithItsOffset) {
  expect_refused("", 0, "does not begin with '{'");
  expect_refused(" {}", 0, "does not begin with '{'");
  expect_refused("[]", 0, "does not begin with '{'");
  expect_refused(R"({"t":x})", 0, "not JSON from byte 14 ");
  expect_refused("{} x", 0, "not JSON");
  expect_refused("{\"\xff\":{}}", 0, "not JSON");
  expect_refused(R"({"t":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}})", 4, "not JSON");
}

TEST(SafetensorsTest, OtherMembersThanTheFormatsAreRefused) {
  expect_refused(R"({"t":[1]})", 0, "an array where none may be, at 't'");
  expect_refused(R"({"t":"x"})", 0, "a string where none may be");
  expect_refused(R"({"t":null})", 0, "null where none may be");
  expect_refused(R"({"t":{}})", 0, "'t' lacks one of dtype, shape and data_offsets");
  expect_refused(R"({"t":{"dtype":"F32","shape":[1]}})", 4, "lacks one of");
  expect_refused(R"({"t":{"dtype":"F32","dtype":"F32"}})", 4, "two members 'dtype'");
  expect_refused(R"({"t":{"stride":[1]}})", 4, "unknown member 'stride'");
  expect_refused(R"({"t":{"dtype":["F32"]}})", 4, "an array where none may be");
  expect_refused(R"({"t":{"dtype":{"a":1}}})", 4, "an object where none may be");
  expect_refused(R"({"t":{"shape":[[1]]}})", 4, "an array where none may be");
  expect_refused(R"({"t":{"shape":[-1]}})", 4, "a negative number where none may be");
  expect_refused(R"({"t":{"shape":[1.5]}})", 4, "a fraction where none may be");
  expect_refused(R"({"t":{"shape":[true]}})", 4, "a truth value where none may be");
  expect_refused(R"({"t":{"shape":1}})", 4, "a number where none may be");
}

TEST(SafetensorsTest, MetadataOfStringsOnlyIsAccepted) {
  expect_refused(R"({"__metadata__":{"a":1}})", 0, "a number where none may be");
  expect_refused(R"({"__metadata__":{"a":{}}})", 0, "an object where none may be");
  expect_refused(R"({"__metadata__":{"a":"1","a":"2"}})", 0, "two members 'a'");
  expect_refused(R"({"__metadata__":{},"__metadata__":{}})", 0, "'__metadata__' is there twice");
}

TEST(SafetensorsTest, NameGivenTwiceIsRefused) {
  expect_refused(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                 R"("t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                 8, "tensor 't' is there twice");
}

TEST(SafetensorsTest, OtherDtypesAreRefusedByName) {
  expect_refused(R"({"t":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})", 4,
                 "'t' is stored as 'I32'", "F32, F64, F16, BF16 and I64 can be read");
}

TEST(SafetensorsTest, ShapesThatDoNotFitAreRefused) {
  expect_refused(R"({"t":{"dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[0,4]}})", 4,
                 "tensor 't' has more than 4 extents");
  expect_refused(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
                 "shape [2] of F32, which does not fit its data_offsets [0, 4]");
  expect_refused(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "does not fit");
  expect_refused(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "1 data_offsets");
  expect_refused(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4,
                 "more than two data_offsets");
  // 2^32 * 2^32 * 4 bytes is 0 modulo 2^64.
  expect_refused(R"({"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
                 "does not fit");
  expect_refused(R"({"t":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0]}})",
                 0, "does not fit");
}

TEST(SafetensorsTest, TensorsMustCoverTheDataExactly) {
  const auto two = [](int a, int b, int c, int d) {
    return fmt::format(R"({{"a":{{"dtype":"F16","shape":[{}],"data_offsets":[{},{}]}},)"
                       R"("b":{{"dtype":"F16","shape":[{}],"data_offsets":[{},{}]}}}})",
                       (b - a) / 2, a, b, (d - c) / 2, c, d);
  };
  EXPECT_EQ(parse_safetensors(file_of(two(0, 4, 4, 8), 8), "file").tensors.size(), 2U);
  expect_refused(two(0, 4, 4, 8), 7, "'b' ends at byte 8 of the data, which has only 7",
                 "truncated");
  expect_refused(two(0, 4, 2, 6), 6, "'b' overlaps another at byte 2");
  expect_refused(two(0, 4, 0, 4), 4, "'b' overlaps another at byte 0");
  expect_refused(two(0, 4, 6, 8), 8, "bytes 4 to 6 of the data, before tensor 'b', belong to none");
  expect_refused(two(2, 4, 4, 8), 8, "bytes 0 to 2");
  expect_refused(two(0, 4, 4, 8), 9, "1 bytes behind the last tensor");
  expect_refused("{}", 1, "1 bytes behind the last tensor");
}

TEST(SafetensorsTest, DeepNestingIsRefusedWithoutExhaustingTheStack) {
  const std::string deep = R"({"t":)" + std::string(5'000'000, '[');
  expect_refused(deep, 0, "an array where none may be");
}

TEST(SafetensorsTest, NamesFromTheFileCannotWriteToTheTerminal) {
  expect_refused(R"({"\u001b[2J":[]})", 0, R"('\x1b[2J')");
}

TEST(SafetensorsTest, TensorsOfManyPiecesAreWrittenInOrder) {
  Tensor values({100'003});
  for (std::int64_t i = 0; i < values.elements(); ++i) {
    values.data()[i] = static_cast<float>(i);
  }
  const SafetensorsFile file = {{{"f", {values}}, {"i", {values, Dtype::kI64}}}, {}};
  const std::vector<std::byte> bytes = serialize_safetensors(file);
  EXPECT_EQ(safetensors_bytes(file).bytes, bytes.size());
  const SafetensorsFile read = parse_safetensors(bytes, "file");
  EXPECT_EQ(values_of(read.tensors.at("f")), values_of({values}));
  EXPECT_EQ(values_of(read.tensors.at("i")), values_of({values}));
  const testing::TemporaryDirectory directory;
  write_safetensors(directory.path() / "f.safetensors", file);
  EXPECT_EQ(read_file(directory.path() / "f.safetensors"), bytes);
}

TEST(SafetensorsTest, WhatCannotBeWrittenIsRefused) {
  const auto save = [](const std::string& name, StoredTensor tensor) {
    return [=] { serialize_safetensors(SafetensorsFile{{{name, tensor}}, {}}); };
  };
  const Tensor half = Tensor::full({1}, 0.5F);
  expect_error(save("t", {half, Dtype::kF16}), "tensor 't': F16 is read but not written");
  expect_error(save("t", {half, Dtype::kI64}), "tensor 't': 0.5 cannot be saved as an integer");
  expect_error(save("t", {Tensor::full({1}, 1e30F), Dtype::kI64}), "cannot be saved as an integer");
  expect_error(save("t", {Tensor::full({1}, std::nanf("")), Dtype::kI64}), "nan cannot be saved");
  expect_error(save("t", {}), "tensor 't' has no values");
  expect_error(save("__metadata__", {half}), "__metadata__");
  expect_error(save("\xff", {half}), R"('\xff' cannot be saved)", "UTF-8");
}

}  // namespace
}  // namespace convoy::io
