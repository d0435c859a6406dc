// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// fovea-case: a launch of one of our kernels as a folder for fovea-sim, in the
// format of the PTX corpus, with outputs by the float64 reference. So a kernel
// of ours can be run, checked and mutated like anybody's.
#include "LaunchFile.h"

#include "fovea/Pattern/Parser.h"
#include "fovea/Runtime/Files.h"

#include <charconv>
#include <cstdio>
#include <filesystem>

using namespace fovea;
using namespace fovea::cases;
using runtime::Result;
using runtime::Status;
using runtime::wrongInput;

namespace {

constexpr const char *usage =
    "usage: fovea-case BUNDLE --shape HEADS,NQ,NK [options] -o FOLDER\n"
    "  --shape HEADS,NQ,NK  the first query heads, the lengths; batch is 1\n"
    "  --entry N            of the bundle's entries, from 0 (0)\n"
    "  --gap N              elements between rows; the default keeps the rows\n"
    "                       as aligned as the entry asks, and no more\n"
    "  --no-lse             passes no array for LSE\n"
    "  --nan-value          the last row of V is NaN\n"
    "  --param NAME=VALUE   the value of a param; may be repeated\n"
    "  --seed N             of the arrays (1)\n"
    "Writes kernel.ptx, launch.json and the arrays. Exit status: 0 done, 1 "
    "wrong input.\n";

struct Options {
  std::string bundle, folder;
  int64_t heads = 0, nq = 0, nk = 0, entry = 0, gap = -1, seed = 1;
  bool lse = true, nanValue = false;
  std::vector<std::string> params;
};

bool parseNumber(std::string_view text, int64_t &value) {
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parseShape(const std::string &text, Options &options) {
  size_t first = text.find(','), second = text.find(',', first + 1);
  return first != std::string::npos && second != std::string::npos &&
         parseNumber(text.substr(0, first), options.heads) &&
         parseNumber(text.substr(first + 1, second - first - 1), options.nq) &&
         parseNumber(text.substr(second + 1), options.nk) &&
         options.heads > 0 && options.nq > 0 && options.nk >= 0;
}

bool parseOptions(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    std::string arg = argv[i];
    if (arg[0] != '-') {
      options.bundle = arg;
      continue;
    }
    if (arg == "--no-lse" || arg == "--nan-value") {
      (arg == "--no-lse" ? options.lse : options.nanValue) ^= true;
      continue;
    }
    if (++i >= argc)
      return false;
    std::string value = argv[i];
    bool good = true;
    if (arg == "--shape")
      good = parseShape(value, options);
    else if (arg == "--entry")
      good = parseNumber(value, options.entry) && options.entry >= 0;
    else if (arg == "--gap")
      good = parseNumber(value, options.gap) && options.gap >= 0;
    else if (arg == "--seed")
      good = parseNumber(value, options.seed);
    else if (arg == "--param")
      options.params.push_back(value);
    else if (arg == "-o")
      options.folder = value;
    else
      return false;
    if (!good)
      return false;
  }
  return !options.bundle.empty() && !options.folder.empty() && options.nq > 0;
}

/// NAME=VALUE over the defaults.
Status setParam(const pattern::Pattern &pattern, const std::string &text,
                std::vector<pattern::ParamValue> &params) {
  size_t equals = text.find('=');
  for (size_t i = 0; equals != std::string::npos && i < params.size(); ++i) {
    if (pattern.params[i].name != text.substr(0, equals))
      continue;
    std::string value = text.substr(equals + 1);
    char *end = nullptr;
    params[i].real = std::strtof(value.c_str(), &end);
    bool isInt = pattern.params[i].type == pattern::ParamType::Int;
    if (value.empty() || *end ||
        (isInt && !parseNumber(value, params[i].integer)))
      return wrongInput("expected a number for the param '" +
                        pattern.params[i].name + "', but got '" + value + "'");
    return {};
  }
  return wrongInput("expected NAME=VALUE with a param of the pattern, but got "
                    "'" +
                    text + "'");
}

/// As aligned as the entry asks, but no more: the gap is one such piece.
int64_t gapOf(const Options &options, const runtime::Manifest &manifest,
              const runtime::ManifestEntry &entry) {
  if (options.gap >= 0)
    return options.gap;
  return std::max<int64_t>(1,
                           entry.alignment / runtime::typeSize(manifest.type));
}

Status run(const Options &options) {
  Result<std::string> text =
      runtime::readFile(options.bundle + "/manifest.json");
  if (!text)
    return text.error();
  Result<runtime::Manifest> manifest = runtime::parseManifest(*text);
  if (!manifest)
    return manifest.error();
  Result<std::string> ptx = runtime::readFile(options.bundle + "/kernel.ptx");
  if (!ptx)
    return ptx.error();
  pattern::ParseResult parsed =
      pattern::parsePattern(manifest->pattern, "<manifest>");
  if (!parsed)
    return wrongInput(options.bundle + ": the manifest's pattern is not valid");
  if (static_cast<size_t>(options.entry) >= manifest->entries.size())
    return wrongInput("expected an entry below " +
                      std::to_string(manifest->entries.size()) + ", but got " +
                      std::to_string(options.entry));
  if (options.heads > manifest->headsQ)
    return wrongInput("expected at most " + std::to_string(manifest->headsQ) +
                      " heads, but got " + std::to_string(options.heads));
  std::vector<pattern::ParamValue> params =
      pattern::defaultParams(*parsed.pattern);
  for (const std::string &param : options.params)
    if (Status status = setParam(*parsed.pattern, param, params); !status)
      return status;
  if (auto message = pattern::checkRequirements(*parsed.pattern, params))
    return wrongInput(*message);

  const runtime::ManifestEntry &entry = manifest->entries[options.entry];
  Shape shape{options.nq, options.nk, gapOf(options, *manifest, entry),
              options.nanValue && options.nk > 0};
  Arrays arrays = drawArrays(*parsed.pattern, params, shape, options.seed);
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error)
    return wrongInput("cannot create '" + options.folder +
                      "': " + error.message());
  if (Status status =
          runtime::writeFileAtomically(options.folder + "/kernel.ptx", {*ptx});
      !status)
    return status;
  return writeLaunch(
      {*manifest, entry, params, shape, options.heads, options.lse}, arrays,
      options.folder);
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  if (!parseOptions(argc, argv, options)) {
    std::fputs(usage, stderr);
    return FOVEA_WRONG_INPUT;
  }
  Status status = run(options);
  if (!status)
    std::fprintf(stderr, "fovea-case: error: %s\n",
                 status.error().message.c_str());
  return status ? FOVEA_OK : status.error().status;
}
