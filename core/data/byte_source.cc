#include "core/data/byte_source.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/check.h"

namespace convoy::data {
namespace {

// zlib counts in 32 bits, so it is fed by pieces.
constexpr std::size_t kPiece = std::size_t{1} << 30;

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
    : whole_(file), rest_(file), name_(std::move(name)) {
  if (file.size() >= 2 && file[0] == 0x1f && file[1] == 0x8b) {
    gzip_ = std::make_unique<Gzip>();
  }
}

ByteSource::~ByteSource() = default;

std::uint64_t ByteSource::at_most() const {
  if (!gzip_) {
    return rest_.size();
  }
  // Inflate holds back what it has unpacked but not yet handed over: at most one window.
  return gzip_->ended ? 0 : rest_.size() * kBestRatio + (std::uint64_t{1} << MAX_WBITS);
}

std::size_t ByteSource::read(std::span<std::uint8_t> out) {
  std::size_t got = 0;
  if (gzip_) {
    while (got < out.size() && !gzip_->ended) {
      got += inflate_into(out.subspan(got, std::min(out.size() - got, kPiece)));
    }
    return got;
  }
  got = std::min(out.size(), rest_.size());
  std::copy_n(rest_.begin(), got, out.begin());
  rest_ = rest_.subspan(got);
  return got;
}

// One call of inflate; it may yield nothing, then it has consumed input or reached the end.
std::size_t ByteSource::inflate_into(std::span<std::uint8_t> out) {
  z_stream& stream = gzip_->stream;
  const std::size_t piece = std::min(rest_.size(), kPiece);
  stream.next_in = const_cast<Bytef*>(rest_.data());  // zlib's interface predates const
  stream.avail_in = static_cast<uInt>(piece);
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_NO_FLUSH);
  rest_ = rest_.subspan(piece - stream.avail_in);
  if (result == Z_STREAM_END) {
    // A gzip file may be several members one after the other.
    gzip_->ended = rest_.empty();
    if (!gzip_->ended) {
      inflateReset(&stream);
    }
  } else if (result != Z_OK) {
    check(result != Z_BUF_ERROR, "{}: gzip data cut off at byte {}, before their end mark. {}",
          name_, whole_.size(), kAdvice);
    fail("{}: damaged gzip data near byte {}: {}. {}", name_, offset(),
         stream.msg != nullptr ? stream.msg : "unknown error", kAdvice);
  }
  return out.size() - stream.avail_out;
}

}  // namespace convoy::data
