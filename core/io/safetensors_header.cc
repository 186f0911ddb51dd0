#include "core/io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/check.h"
#include "core/base/printable.h"

namespace convoy::io {
namespace {

using Json = nlohmann::json;

// What the JSON says of one tensor, before the parts are known to fit together.
struct RawEntry {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> offsets;
  unsigned seen = 0;  // one bit for each member
};

// Follows the grammar as the parser meets tokens. No tree is built, so neither depth nor width of a
// hostile header costs more than its own bytes, and a name given twice is seen.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  HeaderReader(std::string_view file, SafetensorsHeader& header) : file_(file), header_(header) {}

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a truth value"); }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { unexpected("a fraction"); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t number) override {
    if (place_ == Place::kShape) {
      refuse_unless(raw_.shape.size() < Shape::kMaxRank, "has more than {} extents",
                    Shape::kMaxRank);
      raw_.shape.push_back(number);
    } else if (place_ == Place::kOffsets) {
      refuse_unless(raw_.offsets.size() < 2, "has more than two data_offsets");
      raw_.offsets.push_back(number);
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool string(string_t& text) override {
    if (place_ == Place::kMetadata) {
      header_.metadata[key_] = std::move(text);
    } else if (place_ == Place::kTensor && key_ == "dtype") {
      raw_.dtype = std::move(text);
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kNames;
    } else if (place_ == Place::kNames) {
      place_ = name_ == kMetadataKey ? Place::kMetadata : Place::kTensor;
      raw_ = {};
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& key) override {
    if (place_ == Place::kNames) {
      const bool is_new = key == kMetadataKey ? !std::exchange(has_metadata_, true)
                                              : header_.tensors.try_emplace(key).second;
      name_ = std::move(key);
      refuse_unless(is_new, "is there twice");
      return true;
    }
    if (place_ == Place::kMetadata) {
      refuse_unless(!header_.metadata.contains(key), "has two members {}", printable(key));
    } else {
      const auto* member = std::ranges::find(kMembers, key);
      refuse_unless(member != kMembers.end(), "has an unknown member {}", printable(key));
      const unsigned bit = 1U << (member - kMembers.begin());
      refuse_unless((raw_.seen & bit) == 0, "has two members {}", printable(key));
      raw_.seen |= bit;
    }
    key_ = std::move(key);
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::kTensor && key_ == "shape") {
      place_ = Place::kShape;
    } else if (place_ == Place::kTensor && key_ == "data_offsets") {
      place_ = Place::kOffsets;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    place_ = Place::kTensor;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) {
      refuse_unless(raw_.seen == 7, "lacks one of dtype, shape and data_offsets");
      finish_tensor();
    }
    place_ = place_ == Place::kNames ? Place::kEnd : Place::kNames;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    fail("{}: damaged safetensors header: not JSON from byte {} of the file on", file_,
         kHeaderLengthBytes + position);
  }

 private:
  enum class Place { kStart, kNames, kTensor, kShape, kOffsets, kMetadata, kEnd };
  static constexpr std::array<std::string_view, 3> kMembers = {"dtype", "shape", "data_offsets"};

  template <typename... Args>
  void refuse_unless(bool condition, fmt::format_string<Args...> text, Args&&... args) const {
    if (!condition) {
      fail("{}: tensor {} {}", file_, printable(name_),
           fmt::format(text, std::forward<Args>(args)...));
    }
  }

  [[noreturn]] void unexpected(std::string_view what) const {
    fail("{}: damaged safetensors header: {} where none may be, at {}", file_, what,
         printable(name_));
  }

  void finish_tensor() {
    const DtypeInfo* info = find_dtype(raw_.dtype);
    refuse_unless(info != nullptr, "is stored as {}; F32, F64, F16, BF16 and I64 can be read",
                  printable(raw_.dtype));
    refuse_unless(raw_.offsets.size() == 2, "has {} data_offsets instead of two",
                  raw_.offsets.size());
    std::uint64_t bytes = info->bytes;
    bool fits = true;
    for (const std::uint64_t extent : raw_.shape) {
      fits = fits && extent <= (std::uint64_t{1} << 62) &&
             !__builtin_mul_overflow(bytes, extent, &bytes);
    }
    const auto [begin, end] = std::array{raw_.offsets[0], raw_.offsets[1]};
    refuse_unless(fits && begin <= end && end - begin == bytes,
                  "has shape [{}] of {}, which does not fit its data_offsets [{}, {}]",
                  fmt::join(raw_.shape, ", "), info->name, begin, end);
    header_.tensors[name_] = {info->dtype, shape(), begin, end};
  }

  Shape shape() const {
    const auto extent = [&](std::size_t axis) {
      return static_cast<std::int64_t>(raw_.shape[axis]);
    };
    switch (raw_.shape.size()) {
      case 0:
        return {};
      case 1:
        return {extent(0)};
      case 2:
        return {extent(0), extent(1)};
      case 3:
        return {extent(0), extent(1), extent(2)};
      default:
        return {extent(0), extent(1), extent(2), extent(3)};
    }
  }

  std::string_view file_;
  SafetensorsHeader& header_;
  Place place_ = Place::kStart;
  std::string name_;
  std::string key_;
  RawEntry raw_;
  bool has_metadata_ = false;
};

// In the order of their bytes, each tensor must begin where the one before ends.
void check_coverage(const SafetensorsHeader& header, std::uint64_t data_bytes,
                    std::string_view file) {
  using Named = std::pair<const std::string, SafetensorsHeader::Entry>;
  std::vector<const Named*> ordered;
  for (const Named& named : header.tensors) {
    ordered.push_back(&named);
  }
  std::ranges::sort(ordered, {}, [](const Named* named) {
    return std::pair(named->second.begin, named->second.end);
  });
  std::uint64_t covered = 0;
  for (const Named* named : ordered) {
    const auto& [name, entry] = *named;
    check(entry.end <= data_bytes,
          "{}: tensor {} ends at byte {} of the data, which has only {}: the file is truncated",
          file, printable(name), entry.end, data_bytes);
    check(entry.begin >= covered, "{}: tensor {} overlaps another at byte {} of the data", file,
          printable(name), entry.begin);
    check(entry.begin == covered,
          "{}: bytes {} to {} of the data, before tensor {}, belong to none", file, covered,
          entry.begin, printable(name));
    covered = entry.end;
  }
  check(covered == data_bytes, "{}: {} bytes behind the last tensor", file, data_bytes - covered);
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, std::string_view name) {
  check(file.size() >= kHeaderLengthBytes,
        "{}: not a safetensors file: {} bytes, but the length of the header alone takes {}", name,
        file.size(), kHeaderLengthBytes);
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.data(), kHeaderLengthBytes);
  file = file.subspan(kHeaderLengthBytes);
  check(header_bytes <= kMaxHeaderBytes,
        "{}: not a safetensors file: it announces a header of {} bytes, at most {} are allowed",
        name, header_bytes, kMaxHeaderBytes);
  check(header_bytes <= file.size(),
        "{}: truncated or not a safetensors file: a header of {} bytes is announced, {} are left",
        name, header_bytes, file.size());
  const auto json = file.first(static_cast<std::size_t>(header_bytes));
  check(!json.empty() && json[0] == std::byte{'{'},
        "{}: not a safetensors file: its header does not begin with '{{'", name);

  SafetensorsHeader header;
  header.data_begin = kHeaderLengthBytes + json.size();
  HeaderReader reader(name, header);
  const auto* text = reinterpret_cast<const char*>(json.data());
  Json::sax_parse(text, text + json.size(), &reader);
  check_coverage(header, file.size() - json.size(), name);
  return header;
}

}  // namespace convoy::io
