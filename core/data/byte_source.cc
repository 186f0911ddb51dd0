#include "core/data/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/check.h"

namespace convoy::data {
namespace {

// zlib counts in 32 bits, so it is fed by pieces.
constexpr std::size_t kPiece = std::size_t{1} << 30;

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;

// Deflate cannot do better than 258 bytes for two bits; zlib's own figure is 1032 to 1.
constexpr std::uint64_t kBestRatio = 1032;

constexpr const char* kAdvice = "A damaged download? Fetch it again (MNIST: deploy/fetch-mnist).";

}  // namespace

struct ByteSource::Gzip {
  Gzip() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    check(inflateInit2(&stream, kGzipOnly) == Z_OK, "zlib could not start: out of memory");
  }
  ~Gzip() { inflateEnd(&stream); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  z_stream stream = {};
  bool ended = false;
};

ByteSource::ByteSource(std::span<const std::uint8_t> file, std::string name)
    : name_(std::move(name)), bytes_(file.size()), got_(file.size()), ready_(file) {
  begin();
}

ByteSource::ByteSource(const std::filesystem::path& path, std::uint64_t max_bytes)
    : name_(path.string()) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  check(std::filesystem::is_regular_file(status), "{}: not a readable file ({}). Check --data.",
        name_, error ? error.message() : "no regular file");
  file_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  check(static_cast<bool>(file_), "{}: cannot be opened: {}. Try: ls -l {}", name_, system_reason(),
        name_);
  struct stat now = {};
  check(::fstat(file_.get(), &now) == 0, "{}: {}", name_, system_reason());
  bytes_ = static_cast<std::uint64_t>(now.st_size);
  check(bytes_ <= max_bytes, "{}: {} bytes; at most {} can be read. Is it an IDX file?", name_,
        bytes_, max_bytes);
  buffer_.resize(kBufferBytes);
  refill();
  begin();
}

ByteSource::~ByteSource() = default;

void ByteSource::begin() {
  if (ready_.size() >= 2 && ready_[0] == 0x1f && ready_[1] == 0x8b) {
    gzip_ = std::make_unique<Gzip>();
  }
}

std::uint64_t ByteSource::at_most() const {
  const std::uint64_t rest = bytes_ - std::min(bytes_, offset());
  if (!gzip_) {
    return rest;
  }
  // Inflate holds back what it has unpacked but not yet handed over: at most one window.
  return gzip_->ended ? 0 : rest * kBestRatio + (std::uint64_t{1} << MAX_WBITS);
}

// REQUIRES: ready_ is empty.
void ByteSource::refill() {
  ready_ = std::span(buffer_).first(read_file(buffer_));
}

// Fills `out` unless the file ends before.
std::size_t ByteSource::read_file(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (file_ && done < out.size()) {
    const ssize_t more = ::read(file_.get(), out.data() + done, out.size() - done);
    check(more >= 0 || errno == EINTR, "{}: cannot be read from byte {} of {} on: {}. Try again.",
          name_, got_, bytes_, system_reason());
    if (more == 0) {
      break;
    }
    done += static_cast<std::size_t>(std::max<ssize_t>(more, 0));
    got_ += static_cast<std::uint64_t>(std::max<ssize_t>(more, 0));
  }
  return done;
}

std::size_t ByteSource::read(std::span<std::uint8_t> out) {
  std::size_t got = 0;
  if (gzip_) {
    while (got < out.size() && !gzip_->ended) {
      got += inflate_into(out.subspan(got, std::min(out.size() - got, kPiece)));
    }
    return got;
  }
  got = std::min(out.size(), ready_.size());
  std::copy_n(ready_.begin(), got, out.begin());
  ready_ = ready_.subspan(got);
  return got + read_file(out.subspan(got));
}

// One call of inflate; it may yield nothing, then it has consumed input or reached the end.
std::size_t ByteSource::inflate_into(std::span<std::uint8_t> out) {
  if (ready_.empty()) {
    refill();
  }
  z_stream& stream = gzip_->stream;
  const std::size_t piece = std::min(ready_.size(), kPiece);
  stream.next_in = const_cast<Bytef*>(ready_.data());  // zlib's interface predates const
  stream.avail_in = static_cast<uInt>(piece);
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_NO_FLUSH);
  ready_ = ready_.subspan(piece - stream.avail_in);
  if (result == Z_STREAM_END) {
    if (ready_.empty()) {
      refill();
    }
    // A gzip file may be several members one after the other.
    gzip_->ended = ready_.empty();
    if (!gzip_->ended) {
      inflateReset(&stream);
    }
  } else if (result != Z_OK) {
    check(result != Z_BUF_ERROR, "{}: gzip data cut off at byte {}, before their end mark. {}",
          name_, got_, kAdvice);
    fail("{}: damaged gzip data near byte {}: {}. {}", name_, offset(),
         stream.msg != nullptr ? stream.msg : "unknown error", kAdvice);
  }
  return out.size() - stream.avail_out;
}

}  // namespace convoy::data
