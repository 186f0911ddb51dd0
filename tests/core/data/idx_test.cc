#include "core/data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <functional>

#include "core/base/check.h"

namespace convoy::data {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;
using ::testing::AllOf;
using ::testing::HasSubstr;

void append_uint32(Bytes& bytes, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

Bytes idx(std::uint32_t magic, std::initializer_list<std::uint32_t> extents, Bytes elements) {
  Bytes bytes;
  append_uint32(bytes, magic);
  for (const std::uint32_t extent : extents) {
    append_uint32(bytes, extent);
  }
  bytes.insert(bytes.end(), elements.begin(), elements.end());
  return bytes;
}

const Bytes valid_images = idx(0x803, {2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
const Bytes valid_labels = idx(0x801, {2}, {9, 0});

Bytes gzip(const Bytes& content) {
  z_stream stream = {};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes packed(deflateBound(&stream, content.size()) + 32);
  stream.next_in = const_cast<Bytef*>(content.data());
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

void write_file(const fs::path& path, const Bytes& content) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
}

// A file on disk, while it is looked at.
class OnDisk {
 public:
  explicit OnDisk(const Bytes& content)
      : path_(fs::temp_directory_path() /
              fmt::format("convoy-idx-file-{}-{}", ::getpid(), count_++)) {
    write_file(path_, content);
  }
  ~OnDisk() { fs::remove(path_); }
  OnDisk(const OnDisk&) = delete;
  OnDisk& operator=(const OnDisk&) = delete;

  const fs::path& path() const { return path_; }
  std::string call_file(std::string text) const {
    const std::size_t at = text.find(path_.string());
    return at == std::string::npos ? text : text.replace(at, path_.string().size(), "FILE");
  }

 private:
  static inline int count_ = 0;
  fs::path path_;
};

// Files are judged alike whether they are in memory or streamed from the disk.
std::string images_refusal(const Bytes& file) {
  const std::string text = refusal([&] { parse_idx_images(file, "FILE"); });
  const OnDisk disk(file);
  EXPECT_EQ(disk.call_file(refusal([&] { read_idx_images(disk.path()); })), text);
  EXPECT_EQ(disk.call_file(refusal([&] { open_idx_images(disk.path()); })), text);
  return text;
}

std::string labels_refusal(const Bytes& file) {
  const std::string text = refusal([&] { parse_idx_labels(file, "FILE", 10); });
  const OnDisk disk(file);
  EXPECT_EQ(disk.call_file(refusal([&] { read_idx_labels(disk.path(), 10); })), text);
  return text;
}

// Images that neither fit a read of the disk nor can be packed.
Bytes large_images() {
  Bytes noise(10 * 256 * 256);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : noise) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return idx(0x803, {10, 256, 256}, noise);
}

TEST(IdxTest, ReadsImagesPlainAndGzipped) {
  for (const Bytes& file : {valid_images, gzip(valid_images)}) {
    const IdxImages images = parse_idx_images(file, "FILE");
    EXPECT_EQ(images.count, 2);
    EXPECT_EQ(images.height, 2);
    EXPECT_EQ(images.width, 3);
    EXPECT_EQ(images.pixels, (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  }
}

TEST(IdxTest, ReadsLabelsPlainAndGzipped) {
  EXPECT_EQ(parse_idx_labels(valid_labels, "FILE", 10), (Bytes{9, 0}));
  EXPECT_EQ(parse_idx_labels(gzip(valid_labels), "FILE", 10), (Bytes{9, 0}));
}

TEST(IdxTest, ReadsGzipOfSeveralMembers) {
  Bytes file = gzip({valid_images.begin(), valid_images.begin() + 5});
  const Bytes rest = gzip({valid_images.begin() + 5, valid_images.end()});
  file.insert(file.end(), rest.begin(), rest.end());
  EXPECT_EQ(parse_idx_images(file, "FILE").pixels, parse_idx_images(valid_images, "FILE").pixels);
}

TEST(IdxTest, EveryTruncationIsRefused) {
  for (const Bytes& whole : {valid_images, gzip(valid_images)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_NE(images_refusal({whole.begin(), whole.begin() + static_cast<long>(size)}),
                "accepted")
          << size << " of " << whole.size() << " bytes";
    }
  }
}

TEST(IdxTest, TruncatedHeaderIsRefused) {
  EXPECT_THAT(images_refusal({0, 0, 8, 3, 0, 0}),
              HasSubstr("the IDX header needs 4 bytes at offset 4, 2 are there"));
}

TEST(IdxTest, TruncatedPixelsAreRefusedWithTheNumbers) {
  EXPECT_THAT(images_refusal({valid_images.begin(), valid_images.end() - 1}),
              AllOf(HasSubstr("FILE: truncated: after offset 16 the header promises 12 bytes, 11"),
                    HasSubstr("deploy/fetch-mnist")));
}

TEST(IdxTest, TruncationInsideGzipIsRefused) {
  const Bytes inner_cut = gzip({valid_images.begin(), valid_images.end() - 1});
  EXPECT_THAT(images_refusal(inner_cut), HasSubstr("promises 12 bytes, 11 are there"));
  const Bytes file = gzip(valid_images);
  EXPECT_THAT(images_refusal({file.begin(), file.end() - 1}), HasSubstr("gzip data cut off"));
}

TEST(IdxTest, TrailingBytesAreRefused) {
  Bytes longer = valid_images;
  longer.push_back(0);
  EXPECT_THAT(images_refusal(longer), HasSubstr("should end at offset 28, but more follow"));
  EXPECT_THAT(images_refusal(gzip(longer)), HasSubstr("should end at offset 28, but more follow"));
  Bytes garbage = gzip(valid_images);
  garbage.push_back(7);
  EXPECT_THAT(images_refusal(garbage), HasSubstr("gzip data"));
}

TEST(IdxTest, DamagedGzipIsRefused) {
  Bytes file = gzip(valid_images);
  file[file.size() - 6] ^= 1U;  // in the checksum
  EXPECT_THAT(images_refusal(file), HasSubstr("damaged gzip data near byte"));
  file = gzip(valid_images);
  file[10] ^= 0x06U;  // the block type
  EXPECT_NE(images_refusal(file), "accepted");
}

TEST(IdxTest, PromiseThatTheFileCannotHoldIsRefusedWithoutAllocating) {
  // 2^31 * 4 bytes, just within the limits.
  const Bytes bomb = idx(0x803, {kMaxIdxCount, 2, 2}, {});
  EXPECT_THAT(images_refusal(bomb), HasSubstr("promises 8589934592 bytes, 0 are there"));
  EXPECT_THAT(images_refusal(gzip(bomb)), HasSubstr("promises 8589934592 bytes, at most"));
}

TEST(IdxTest, GzipBombStopsWhereTheHeaderSays) {
  Bytes bomb = idx(0x801, {4}, {});
  bomb.resize(std::size_t{64} << 20);
  EXPECT_THAT(labels_refusal(gzip(bomb)), HasSubstr("should end at offset 12, but more follow"));
}

TEST(IdxTest, FilesOfManyReadsAreReadWhole) {
  const Bytes file = large_images();
  const Bytes pixels(file.begin() + 16, file.end());
  Bytes members = gzip({file.begin(), file.begin() + 300'000});  // one gzip file after the other
  const Bytes rest = gzip({file.begin() + 300'000, file.end()});
  members.insert(members.end(), rest.begin(), rest.end());
  for (const Bytes& stored : {file, gzip(file), members}) {
    const OnDisk disk(stored);
    EXPECT_EQ(read_idx_images(disk.path()).pixels, pixels);
  }
}

TEST(IdxTest, FilesOfManyReadsThatEndTooSoonOrTooLateAreRefusedWithTheOffset) {
  Bytes file = large_images();
  const Bytes packed = gzip(file);
  file.pop_back();
  EXPECT_THAT(images_refusal(file),
              HasSubstr("after offset 16 the header promises 655360 bytes, 655359 are there"));
  EXPECT_THAT(images_refusal({packed.begin(), packed.end() - 9}),
              HasSubstr(fmt::format("gzip data cut off at byte {}", packed.size() - 9)));
  file.insert(file.end(), {0, 0});
  EXPECT_THAT(images_refusal(file), HasSubstr("should end at offset 655376, but more follow"));
  Bytes damaged = packed;
  damaged[packed.size() - 6] ^= 1;  // in the checksum
  EXPECT_THAT(images_refusal(damaged), HasSubstr("damaged gzip data near byte"));
}

TEST(IdxTest, ExtentsBeyondTheLimitsAreRefused) {
  EXPECT_THAT(images_refusal(idx(0x803, {kMaxIdxCount + 1, 1, 1}, {1})),
              HasSubstr("count 2147483649 at offset 4"));
  EXPECT_THAT(images_refusal(idx(0x803, {1, kMaxIdxSide + 1, 1}, {1})), HasSubstr("height 16385"));
  EXPECT_THAT(images_refusal(idx(0x803, {1, 1, 0xffffffff}, {1})), HasSubstr("width 4294967295"));
  EXPECT_THAT(images_refusal(idx(0x803, {0xffff, kMaxIdxSide, kMaxIdxSide}, {1})),
              HasSubstr("at most 8589934592 can be read"));
}

TEST(IdxTest, EmptyExtentIsRefused) {
  EXPECT_THAT(images_refusal(idx(0x803, {0, 28, 28}, {})), HasSubstr("count 0 at offset 4"));
  EXPECT_THAT(labels_refusal(idx(0x801, {0}, {})), HasSubstr("count 0 at offset 4"));
}

TEST(IdxTest, SwappedFilesAreRecognised) {
  EXPECT_THAT(images_refusal(valid_labels),
              AllOf(HasSubstr("this is a label file (magic 2049"), HasSubstr("2051 expected"),
                    HasSubstr("swapped")));
  EXPECT_THAT(labels_refusal(valid_images), HasSubstr("this is an image file (magic 2051"));
}

TEST(IdxTest, OtherFilesAreRefused) {
  EXPECT_THAT(images_refusal({'<', 'h', 't', 'm', 'l', '>'}), HasSubstr("not an IDX file"));
  EXPECT_THAT(images_refusal(idx(0x0d03, {1, 1, 1}, {0, 0, 0, 0})), HasSubstr("type 0d"));
  EXPECT_THAT(images_refusal(idx(0x802, {1, 1}, {0})), HasSubstr("rank 2"));
}

TEST(IdxTest, LabelBeyondTheClassesIsRefusedWithItsOffset) {
  EXPECT_THAT(labels_refusal(idx(0x801, {3}, {1, 10, 2})), HasSubstr("label 10 at offset 9"));
}

TEST(IdxTest, PlainImagesMayStayOnDisk) {
  const Bytes file = large_images();
  const OnDisk disk(file);
  const IdxImages images = open_idx_images(disk.path());
  EXPECT_TRUE(images.pixels.empty());
  ASSERT_TRUE(images.file);
  EXPECT_EQ(images.file->bytes(), 655'360U);
  Bytes some(1000);
  images.file->read(654'360, some);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), file.end() - 1000));
  const OnDisk packed(gzip(file));
  EXPECT_EQ(open_idx_images(packed.path()).pixels, Bytes(file.begin() + 16, file.end()));
}

TEST(IdxTest, FileCutShortWhileInUseIsToldWithTheOffset) {
  const OnDisk disk(large_images());
  const IdxImages images = open_idx_images(disk.path());
  fs::resize_file(disk.path(), 1016);
  Bytes some(1000);
  images.file->read(0, some);
  EXPECT_THAT(disk.call_file(refusal([&] { images.file->read(500, some); })),
              HasSubstr("FILE: ends at offset 1016 now, 654360 bytes of images are missing"));
}

class IdxFolderTest : public ::testing::Test {
 public:
  IdxFolderTest() : dir_(fs::temp_directory_path() / fmt::format("convoy-idx-{}", ::getpid())) {
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  ~IdxFolderTest() override { fs::remove_all(dir_); }

 protected:
  void write(const std::string& name, const Bytes& content) const {
    write_file(dir_ / name, content);
  }
  std::string train_refusal() const {
    return refusal([&] { load(Split::kTrain); });
  }
  Dataset load(Split split) const {
    return load_idx_dataset(dir_, split, "tiny",
                            {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  }

  fs::path dir_;
};

TEST_F(IdxFolderTest, LoadsBothSplitsUnderAnyUsualName) {
  write("train-images-idx3-ubyte", valid_images);
  write("train-labels.idx1-ubyte.gz", gzip(valid_labels));
  write("t10k-images.idx3-ubyte", gzip(valid_images));  // gzip is told by content, not by name
  write("t10k-labels-idx1-ubyte.gz", valid_labels);
  for (const Split split : {Split::kTrain, Split::kTest}) {
    const Dataset dataset = load(split);
    EXPECT_EQ(dataset.name(), split == Split::kTrain ? "tiny/train" : "tiny/test");
    EXPECT_EQ(dataset.size(), 2);
    EXPECT_EQ(dataset.label(0), 9);
    EXPECT_EQ(dataset.image(1)[0], 7);
  }
}

TEST_F(IdxFolderTest, MissingFileNamesAllThatWasTriedAndTheCommand) {
  write("train-images-idx3-ubyte", valid_images);
  EXPECT_THAT(train_refusal(),
              AllOf(HasSubstr("train-labels-idx1-ubyte, train-labels-idx1-ubyte.gz, "
                              "train-labels.idx1-ubyte, train-labels.idx1-ubyte.gz"),
                    HasSubstr("deploy/fetch-mnist " + dir_.string())));
}

TEST_F(IdxFolderTest, DifferentCountsAreRefused) {
  write("train-images-idx3-ubyte", valid_images);
  write("train-labels-idx1-ubyte", idx(0x801, {3}, {1, 2, 3}));
  EXPECT_THAT(train_refusal(), HasSubstr("2 images, but 3 labels"));
}

TEST_F(IdxFolderTest, FolderInPlaceOfAFileIsRefused) {
  fs::create_directories(dir_ / "train-images-idx3-ubyte");
  write("train-labels-idx1-ubyte", valid_labels);
  EXPECT_THAT(train_refusal(), HasSubstr("not a readable file"));
}

}  // namespace
}  // namespace convoy::data
