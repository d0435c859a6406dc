// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of docs/bundle.md that tie fields of a manifest together.

#include "ManifestRules.h"

#include "fovea/Runtime/Expression.h"

#include <algorithm>

using namespace fovea::runtime;

static std::string quoted(const std::string &text) { return "'" + text + "'"; }

static std::string checkTarget(const Manifest &m) {
  const std::string &target = m.target;
  bool isGpu = target.size() > 4 && target.starts_with("sm_") &&
               std::all_of(target.begin() + 3, target.begin() + 5,
                           [](char c) { return c >= '0' && c <= '9'; });
  if (!m.isHost() && !isGpu)
    return "expected 'target' to be 'host' or 'sm_NN', found " + quoted(target);
  if (m.headsQ % m.headsKv != 0)
    return "expected 'heads.kv' to divide 'heads.q', found " +
           std::to_string(m.headsKv) + " and " + std::to_string(m.headsQ);
  for (int64_t size : {m.headsQ, m.dimQk, m.dimV, m.tileM, m.tileN})
    if (size >= int64_t(1) << 30)
      return "expected heads, dims and tiles below 2^30, found " +
             std::to_string(size);
  return "";
}

/// A name with a slash in it would reach outside the bundle.
static std::string checkFiles(const Manifest &m) {
  for (const ManifestFile &file : m.files)
    if (file.name.empty() || file.name == "." || file.name == ".." ||
        file.name == "manifest.json" ||
        file.name.find_first_of(std::string_view("/\0", 2)) !=
            std::string::npos)
      return "expected a plain file name in 'files', found " +
             quoted(file.name);
  return "";
}

static std::string checkParams(const Manifest &m) {
  for (size_t i = 0; i < m.params.size(); ++i) {
    if (m.params[i].name.empty())
      return "a param has no name";
    for (size_t j = 0; j < i; ++j)
      if (m.params[i].name == m.params[j].name)
        return "the param " + quoted(m.params[i].name) + " is listed twice";
  }
  return "";
}

static std::string checkParameter(const Manifest &m,
                                  const ManifestParameter &parameter) {
  ParameterType expected = ParameterType::I64;
  if (parameter.value == "param") {
    auto param = std::find_if(
        m.params.begin(), m.params.end(),
        [&](const ManifestParam &p) { return p.name == parameter.name; });
    if (param == m.params.end())
      return "the parameter " + quoted(parameter.name) +
             " is none of the pattern's params";
    if (param->isFloat)
      expected = ParameterType::F32;
  } else {
    std::vector<ManifestParameter> known = standardParameters({});
    auto same = std::find_if(
        known.begin(), known.end(),
        [&](const ManifestParameter &p) { return p.value == parameter.value; });
    if (same == known.end())
      return "the parameter " + quoted(parameter.name) +
             " has the unknown value " + quoted(parameter.value);
    expected = same->type;
  }
  if (parameter.type != expected)
    return "the parameter " + quoted(parameter.name) +
           " has a type that does not fit its value " + quoted(parameter.value);
  return "";
}

static std::string checkEntry(const ManifestEntry &entry) {
  std::string where = "the entry " + quoted(entry.name);
  if (entry.name.empty())
    return "an entry has no name";
  if ((entry.alignment & (entry.alignment - 1)) != 0 || entry.alignment > 4096)
    return where + " has an 'alignment' that is no power of two up to 4096: " +
           std::to_string(entry.alignment);
  const std::vector<Binding> ones = {{"nq", false, 1, 0},
                                     {"nk", false, 1, 0},
                                     {"batch", false, 1, 0},
                                     {"heads_q", false, 1, 0},
                                     {"heads_kv", false, 1, 0}};
  for (const std::string &formula : entry.grid)
    if (Result<int64_t> size = evaluateInteger(formula, ones); !size)
      return where + ": 'grid': " + size.error().message;
  // Sizes that no device has would overflow later sums.
  constexpr int64_t most = int64_t(1) << 40;
  if (entry.sharedBytes > most || entry.scratchBytes > most)
    return where + " asks for more than 2^40 bytes of memory";
  for (int64_t threads : entry.block)
    if (threads > 1024)
      return where + " has a 'block' of more than 1024 threads";
  return "";
}

std::string fovea::runtime::findBrokenRule(const Manifest &m) {
  for (auto check : {checkTarget, checkFiles, checkParams})
    if (std::string broken = check(m); !broken.empty())
      return broken;
  for (const ManifestParameter &parameter : m.parameters)
    if (std::string broken = checkParameter(m, parameter); !broken.empty())
      return broken;
  if (m.entries.empty())
    return "expected at least one entry in 'entries', found none";
  for (const ManifestEntry &entry : m.entries)
    if (std::string broken = checkEntry(entry); !broken.empty())
      return broken;
  return "";
}
