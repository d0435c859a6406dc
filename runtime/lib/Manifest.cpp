// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// manifest.json to Manifest and back. A manifest comes from a disk and may be
// anything: every key is looked up through Reader, which records the first
// error with the key's path and then answers with defaults, so that the code
// below reads like the page it implements. Rules that a type cannot express are
// in ManifestRules.cpp.

#include "fovea/Runtime/Manifest.h"

#include "ManifestRules.h"

#include <nlohmann/json.hpp>

using namespace fovea::runtime;
using Json = nlohmann::ordered_json;

static constexpr const char *formatName = "fovea-bundle";
static constexpr int64_t formatVersion = 1;

//===----------------------------------------------------------------------===//
// Words for enumerators
//===----------------------------------------------------------------------===//

namespace {
template <typename E> struct Word {
  const char *text;
  E value;
};
} // namespace

static constexpr Word<fovea_type> typeWords[] = {
    {"f32", FOVEA_F32}, {"f16", FOVEA_F16}, {"bf16", FOVEA_BF16}};
static constexpr Word<FileKind> fileWords[] = {
    {"cubin", FileKind::Cubin},
    {"ptx", FileKind::PTX},
    {"shared_object", FileKind::SharedObject},
    {"object", FileKind::Object}};
static constexpr Word<RequirementKind> requirementWords[] = {
    {"nonzero", RequirementKind::NonZero},
    {"at_least_1", RequirementKind::AtLeastOne},
    {"finite", RequirementKind::Finite}};
static constexpr Word<ParameterType> parameterWords[] = {
    {"pointer", ParameterType::Pointer},
    {"i64", ParameterType::I64},
    {"f32", ParameterType::F32}};
static constexpr Word<bool> paramWords[] = {{"int", false}, {"float", true}};

template <typename E, size_t N>
static const char *wordOf(const Word<E> (&words)[N], E value) {
  for (const Word<E> &word : words)
    if (word.value == value)
      return word.text;
  return "?";
}

const char *fovea::runtime::typeName(fovea_type type) {
  return wordOf(typeWords, type);
}

int64_t fovea::runtime::typeSize(fovea_type type) {
  return type == FOVEA_F32 ? 4 : 2;
}

std::vector<ManifestParameter>
fovea::runtime::standardParameters(const std::vector<ManifestParam> &params) {
  std::vector<ManifestParameter> list;
  auto add = [&](const std::string &name, ParameterType type) {
    list.push_back({name, type, name});
  };
  for (const char *array : {"q", "k", "v", "o", "lse"})
    add(array, ParameterType::Pointer);
  for (const char *array : {"q", "k", "v", "o"})
    for (const char *axis : {"b", "h", "n"})
      add(std::string(array) + "_stride_" + axis, ParameterType::I64);
  add("nq", ParameterType::I64);
  add("nk", ParameterType::I64);
  for (const ManifestParam &param : params)
    list.push_back({param.name,
                    param.isFloat ? ParameterType::F32 : ParameterType::I64,
                    "param"});
  return list;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static Json paramJson(const ManifestParam &param) {
  Json json = {{"name", param.name},
               {"type", wordOf(paramWords, param.isFloat)}};
  if (param.isFloat && param.floatDefault)
    json["default"] = *param.floatDefault;
  else if (!param.isFloat && param.intDefault)
    json["default"] = *param.intDefault;
  return json;
}

static Json entryJson(const ManifestEntry &entry) {
  Json json = {{"name", entry.name},
               {"alignment", entry.alignment},
               {"grid", entry.grid},
               {"block", entry.block},
               {"shared_bytes", entry.sharedBytes},
               {"scratch_bytes", entry.scratchBytes}};
  if (!entry.tiles.empty())
    json["tiles"] = entry.tiles;
  return json;
}

std::string fovea::runtime::printManifest(const Manifest &m) {
  Json files = Json::array(), params = Json::array(),
       requirements = Json::array(), parameters = Json::array(),
       entries = Json::array();
  for (const ManifestFile &file : m.files)
    files.push_back(
        {{"name", file.name}, {"kind", wordOf(fileWords, file.kind)}});
  for (const ManifestParam &param : m.params)
    params.push_back(paramJson(param));
  for (const ManifestRequirement &r : m.requirements)
    requirements.push_back({{"kind", wordOf(requirementWords, r.kind)},
                            {"expression", r.expression},
                            {"line", r.line},
                            {"column", r.column},
                            {"message", r.message}});
  for (const ManifestParameter &p : m.parameters)
    parameters.push_back({{"name", p.name},
                          {"type", wordOf(parameterWords, p.type)},
                          {"value", p.value}});
  for (const ManifestEntry &entry : m.entries)
    entries.push_back(entryJson(entry));
  Json json = {{"format", formatName},
               {"version", formatVersion},
               {"compiler", m.compiler},
               {"name", m.name},
               {"pattern", m.pattern},
               {"target", m.target},
               {"instruction_set", m.instructionSet},
               {"files", files},
               {"type", typeName(m.type)},
               {"heads", {{"q", m.headsQ}, {"kv", m.headsKv}}},
               {"dims", {{"qk", m.dimQk}, {"v", m.dimV}}},
               {"tile", {{"m", m.tileM}, {"n", m.tileN}}},
               {"params", params},
               {"requirements", requirements},
               {"parameters", parameters},
               {"entries", entries}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// A JSON value with its path, for messages. All readers of one manifest share
/// the place for the first error.
class Reader {
public:
  Reader(const Json &json, std::string path, std::string &error)
      : json(json), path(std::move(path)), error(error) {}

  bool has(const char *key) const {
    return json.is_object() && json.contains(key);
  }

  Reader operator[](const char *key) const {
    static const Json missing;
    std::string inner = path.empty() ? key : path + "." + key;
    if (!json.is_object())
      fail("an object");
    else if (json.contains(key))
      return {json[key], inner, error};
    else
      record("the key '" + inner + "' is missing");
    return {missing, inner, error};
  }

  std::string string() const {
    if (json.is_string())
      return json.get<std::string>();
    fail("a string");
    return {};
  }

  int64_t integer(int64_t atLeast = INT64_MIN) const {
    bool fits = json.is_number_integer() &&
                (!json.is_number_unsigned() ||
                 json.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
    if (fits && json.get<int64_t>() >= atLeast)
      return json.get<int64_t>();
    fail(atLeast == INT64_MIN
             ? "a 64-bit integer"
             : "an integer of at least " + std::to_string(atLeast));
    return 0;
  }

  float real() const {
    if (json.is_number())
      return json.get<float>();
    fail("a number");
    return 0;
  }

  template <typename E, size_t N> E word(const Word<E> (&words)[N]) const {
    std::string text = json.is_string() ? json.get<std::string>() : "";
    std::string expected;
    for (const Word<E> &word : words) {
      if (text == word.text)
        return word.value;
      expected += (expected.empty() ? "'" : "', '") + std::string(word.text);
    }
    fail("one of " + expected + "'");
    return words[0].value;
  }

  /// Calls body(element) for the elements of an array, of `count` if not 0.
  template <typename Body> void each(Body body, size_t count = 0) const {
    if (!json.is_array() || (count != 0 && json.size() != count))
      return fail(count ? "an array of " + std::to_string(count) : "an array");
    for (size_t i = 0; i < json.size(); ++i)
      body(Reader(json[i], path + "[" + std::to_string(i) + "]", error));
  }

private:
  void fail(const std::string &expected) const {
    std::string found =
        json.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (found.size() > 60)
      found = found.substr(0, 57) + "...";
    record("expected '" + path + "' to be " + expected + ", found " + found);
  }
  void record(std::string message) const {
    if (error.empty())
      error = std::move(message);
  }

  const Json &json;
  std::string path;
  std::string &error;
};

} // namespace

static ManifestParam readParam(const Reader &json) {
  ManifestParam param{.name = json["name"].string(),
                      .isFloat = json["type"].word(paramWords),
                      .intDefault = {},
                      .floatDefault = {}};
  if (json.has("default") && param.isFloat)
    param.floatDefault = json["default"].real();
  else if (json.has("default"))
    param.intDefault = json["default"].integer();
  return param;
}

static ManifestEntry readEntry(const Reader &json) {
  ManifestEntry entry;
  entry.name = json["name"].string();
  entry.alignment = json["alignment"].integer(1);
  size_t axis = 0;
  json["grid"].each([&](const Reader &e) { entry.grid[axis++] = e.string(); },
                    3);
  axis = 0;
  json["block"].each(
      [&](const Reader &e) { entry.block[axis++] = e.integer(1); }, 3);
  entry.sharedBytes = json["shared_bytes"].integer(0);
  entry.scratchBytes = json["scratch_bytes"].integer(0);
  if (json.has("tiles"))
    entry.tiles = json["tiles"].string();
  return entry;
}

static Manifest readManifest(const Reader &json) {
  Manifest m;
  m.compiler = json["compiler"].string();
  m.name = json["name"].string();
  m.pattern = json["pattern"].string();
  m.target = json["target"].string();
  json["instruction_set"].each(
      [&](const Reader &e) { m.instructionSet.push_back(e.string()); });
  json["files"].each([&](const Reader &e) {
    m.files.push_back({e["name"].string(), e["kind"].word(fileWords)});
  });
  m.type = json["type"].word(typeWords);
  m.headsQ = json["heads"]["q"].integer(1);
  m.headsKv = json["heads"]["kv"].integer(1);
  m.dimQk = json["dims"]["qk"].integer(1);
  m.dimV = json["dims"]["v"].integer(1);
  m.tileM = json["tile"]["m"].integer(1);
  m.tileN = json["tile"]["n"].integer(1);
  json["params"].each(
      [&](const Reader &e) { m.params.push_back(readParam(e)); });
  json["requirements"].each([&](const Reader &e) {
    m.requirements.push_back({e["kind"].word(requirementWords),
                              e["expression"].string(), e["line"].integer(0),
                              e["column"].integer(0), e["message"].string()});
  });
  json["parameters"].each([&](const Reader &e) {
    m.parameters.push_back({e["name"].string(), e["type"].word(parameterWords),
                            e["value"].string()});
  });
  json["entries"].each(
      [&](const Reader &e) { m.entries.push_back(readEntry(e)); });
  return m;
}

/// Format and version come first: of another version nothing else is known.
static void checkFormat(const Reader &json, std::string &error) {
  std::string format = json["format"].string();
  if (error.empty() && format != formatName)
    error = "expected 'format' to be \"" + std::string(formatName) +
            "\", found \"" + format + "\"";
  int64_t version = json["version"].integer();
  if (error.empty() && version != formatVersion)
    error = "expected 'version' to be " + std::to_string(formatVersion) +
            ", found " + std::to_string(version);
}

Result<Manifest> fovea::runtime::parseManifest(std::string_view text) {
  std::string error;
  Manifest manifest;
  try {
    Json json = Json::parse(text);
    Reader root(json, "", error);
    if (!json.is_object())
      error = "expected an object, found " + std::string(json.type_name());
    else
      checkFormat(root, error);
    if (error.empty())
      manifest = readManifest(root);
    if (error.empty())
      error = findBrokenRule(manifest);
  } catch (const Json::exception &exception) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …"
    error = exception.what();
    if (size_t at = error.find("] "); at != std::string::npos)
      error.erase(0, at + 2);
  }
  if (!error.empty())
    return wrongInput("malformed manifest: " + error);
  return manifest;
}
