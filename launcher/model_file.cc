#include "launcher/model_file.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "core/base/check.h"
#include "core/base/nearest.h"
#include "launcher/builtin_models.h"
#include "launcher/model_rules.h"

namespace convoy::launcher {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// Deeper nesting than any model has; the parser recurses.
constexpr int kMaxDepth = 8;

// The pieces of a message between double quotes.
std::vector<std::string> words_in_quotes(std::string_view message) {
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  while ((begin = message.find('"', begin)) != std::string_view::npos) {
    const std::size_t end = message.find('"', begin + 1);
    if (end == std::string_view::npos) {
      break;
    }
    pieces.emplace_back(message.substr(begin + 1, end - begin - 1));
    begin = end + 1;
  }
  return pieces;
}

std::string unknown_field(const std::string& type, const std::string& given) {
  const Descriptor* message = v1::Model::descriptor()->file()->pool()->FindMessageTypeByName(type);
  if (message == nullptr) {
    return fmt::format("{} has no field '{}'", type, given);
  }
  std::vector<std::string> known;
  known.reserve(static_cast<std::size_t>(message->field_count()));
  for (int i = 0; i < message->field_count(); ++i) {
    known.push_back(message->field(i)->name());
  }
  const std::string nearest = did_you_mean(given, known);
  if (message == v1::Layer::descriptor()) {
    return fmt::format("unknown layer '{}'{}\nknown: {}", given, nearest,
                       fmt::join(known.begin() + 1, known.end(), ", "));
  }
  return fmt::format("{} has no field '{}'{}\nit has: {}", message->name(), given, nearest,
                     known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
}

// The enum of the field called `field`, wherever that is: the parser does not say.
const EnumDescriptor* find_enum(const Descriptor* message, const std::string& field) {
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* candidate = message->field(i);
    if (candidate->enum_type() != nullptr && candidate->name() == field) {
      return candidate->enum_type();
    }
    if (candidate->message_type() != nullptr) {
      if (const EnumDescriptor* found = find_enum(candidate->message_type(), field)) {
        return found;
      }
    }
  }
  return nullptr;
}

std::string unknown_word(const std::string& given, const std::string& field) {
  std::vector<std::string> known;
  if (const EnumDescriptor* words = find_enum(v1::Model::descriptor(), field)) {
    for (int i = 0; i < words->value_count(); ++i) {
      known.push_back(words->value(i)->name());
    }
  }
  return fmt::format("{}: unknown word '{}'{}\nknown: {}", field, given, did_you_mean(given, known),
                     fmt::join(known, ", "));
}

// Says what protobuf's parser says in the words of model files.
std::string explain(const std::string& message) {
  const std::vector<std::string> names = words_in_quotes(message);
  if (names.size() == 2 && message.find("has no field named") != std::string::npos) {
    return unknown_field(names[0], names[1]);
  }
  if (names.size() == 2 && message.starts_with("Unknown enumeration value of")) {
    return unknown_word(names[0], names[1]);
  }
  return message;
}

// Keeps the first error.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(std::string_view source) : source_(source) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text_.empty()) {
      text_ = line < 0
                  ? fmt::format("{}: {}", source_, explain(message))
                  : fmt::format("{}:{}:{}: {}", source_, line + 1, column + 1, explain(message));
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string_view source_;
  std::string text_;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  check(file.good(), "cannot open the model file {}", path);
  std::string text(kMaxModelBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  check(!file.bad() && (file.gcount() > 0 || file.eof()), "cannot read the model file {}", path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// A binary file by mistake, or one that would write to the terminal through our messages.
void check_printable(std::string_view text, std::string_view source) {
  const auto bad = std::ranges::find_if(text, [](char c) {
    return (c >= 0 && c < ' ' &&
            std::string_view("\t\n\v\f\r").find(c) == std::string_view::npos) ||
           c == '\x7f';
  });
  if (bad != text.end()) {
    fail(
        "{}:{}: control character {:#04x}. Is it a model file? convoy export --model tutorial "
        "prints one",
        source, 1 + std::count(text.begin(), bad, '\n'), static_cast<unsigned char>(*bad));
  }
}

}  // namespace

ModelSpec parse_model(std::string_view text, std::string_view source) {
  check(text.size() <= kMaxModelBytes,
        "{}: longer than {} bytes. Is it a model file? convoy export --model tutorial prints one",
        source, kMaxModelBytes);
  check_printable(text, source);
  const google::protobuf::LogSilencer silence;  // it would write to stderr what we throw
  ModelSpec spec{.model = {}, .text = std::string(text), .source = std::string(source)};
  FirstError error(source);
  google::protobuf::TextFormat::ParseInfoTree tree;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&tree);
  parser.SetRecursionLimit(kMaxDepth);
  const bool parsed = parser.ParseFromString(spec.text, &spec.model);
  check(parsed && error.text().empty(), "{}", error.text());
  const ParsedPlaces places{spec.source, tree};
  check_rules(spec.model, places);
  for (int i = 0; i < spec.model.layer_size(); ++i) {
    spec.layer_places.push_back(layer_place(places, i));
  }
  return spec;
}

ModelSpec load_model(const std::string& name_or_file) {
  std::vector<std::string> names;
  for (const BuiltinModel& model : builtin_models()) {
    if (model.name == name_or_file) {
      return parse_model(model.text, fmt::format("{}.textproto", model.name));
    }
    names.emplace_back(model.name);
  }
  std::error_code unreadable;  // a path we may not look at is for read_file to explain
  check(std::filesystem::exists(name_or_file, unreadable) || unreadable,
        "no model '{}'{}: there is neither a built-in model nor a file of that name\n"
        "built in: {}. convoy export --model tutorial prints one to start from",
        name_or_file, did_you_mean(name_or_file, names), fmt::join(names, ", "));
  return parse_model(read_file(name_or_file), name_or_file);
}

}  // namespace convoy::launcher
