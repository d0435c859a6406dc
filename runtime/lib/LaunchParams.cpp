// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pattern's run-time scalars of one launch: given by name, filled up with
// defaults, and held against what the pattern requires of them.

#include "Launch.h"

#include <algorithm>
#include <cmath>

using namespace fovea::runtime;

static std::string str(int64_t value) { return std::to_string(value); }

//===----------------------------------------------------------------------===//
// Params
//===----------------------------------------------------------------------===//

static std::string listParams(const Manifest &m) {
  std::string list;
  for (const ManifestParam &param : m.params)
    list += (list.empty() ? "'" : ", '") + param.name + "'";
  return list.empty() ? "it has none" : "it has " + list;
}

/// Gives `binding` the caller's value; a float param takes an integer, too.
static Status assign(Binding &binding, const fovea_param &given) {
  if (given.kind != FOVEA_INT && given.kind != FOVEA_FLOAT)
    return wrongInput("the param '" + binding.name + "' has the unknown kind " +
                      str(given.kind));
  if (!binding.isFloat && given.kind == FOVEA_FLOAT)
    return wrongInput("expected an integer for the param '" + binding.name +
                      "', but got " + std::to_string(given.float_value));
  binding.intValue = given.int_value;
  binding.floatValue = given.kind == FOVEA_FLOAT
                           ? given.float_value
                           : static_cast<float>(given.int_value);
  return Status();
}

Result<std::vector<Binding>> fovea::runtime::bindParams(const Manifest &m,
                                                        const fovea_launch &l) {
  std::vector<Binding> bindings;
  bindings.reserve(m.params.size());
  std::vector<bool> given(m.params.size());
  for (const ManifestParam &param : m.params)
    bindings.push_back({param.name, param.isFloat, param.intDefault.value_or(0),
                        param.floatDefault.value_or(0)});
  if (l.num_params != 0 && !l.params)
    return wrongInput("the params pointer is null");
  for (size_t i = 0; i < l.num_params; ++i) {
    std::string name = l.params[i].name ? l.params[i].name : "";
    auto at = std::find_if(bindings.begin(), bindings.end(),
                           [&](const Binding &b) { return b.name == name; });
    if (at == bindings.end())
      return wrongInput("the pattern '" + m.name + "' has no param '" + name +
                        "'; " + listParams(m));
    size_t index = at - bindings.begin();
    if (given[index])
      return wrongInput("the param '" + name + "' is given twice");
    given[index] = true;
    if (Status s = assign(*at, l.params[i]); !s)
      return s.error();
  }
  for (size_t i = 0; i < m.params.size(); ++i)
    if (!given[i] && !m.params[i].intDefault && !m.params[i].floatDefault)
      return wrongInput("the param '" + m.params[i].name +
                        "' has no default and must be given");
  return bindings;
}

//===----------------------------------------------------------------------===//
// Requirements
//===----------------------------------------------------------------------===//

/// The value that breaks the requirement, as text; nothing if it holds.
static Result<std::string> findViolation(const ManifestRequirement &r,
                                         const std::vector<Binding> &names) {
  if (r.kind == RequirementKind::Finite) {
    Result<float> value = evaluateReal(r.expression, names);
    if (!value)
      return value.error();
    return std::isfinite(*value) ? "" : std::to_string(*value);
  }
  Result<int64_t> value = evaluateInteger(r.expression, names);
  if (!value)
    return value.error();
  bool holds = r.kind == RequirementKind::NonZero ? *value != 0 : *value >= 1;
  return holds ? "" : str(*value);
}

static Status checkRequirement(const Manifest &m, const ManifestRequirement &r,
                               std::vector<Binding> names) {
  bool perHead = mentions(r.expression, "h") || mentions(r.expression, "g");
  std::string place = "pattern '" + m.name + "'";
  if (r.line > 0)
    place += ", line " + str(r.line) + ", column " + str(r.column);
  names.push_back({"h", false, 0, 0});
  names.push_back({"g", false, 0, 0});
  for (int64_t h = 0; h < (perHead ? m.headsQ : 1); ++h) {
    names[names.size() - 2].intValue = h;
    names[names.size() - 1].intValue = h / (m.headsQ / m.headsKv);
    Result<std::string> violation = findViolation(r, names);
    if (!violation)
      return wrongInput(place + ": " + violation.error().message);
    if (!violation->empty())
      return wrongInput(place + ": " + r.message + ", but got " + *violation +
                        (perHead ? " for head " + str(h) : ""));
  }
  return Status();
}

Status fovea::runtime::checkRequirements(const Manifest &m,
                                         const std::vector<Binding> &params) {
  for (const ManifestRequirement &requirement : m.requirements)
    if (Status s = checkRequirement(m, requirement, params); !s)
      return s;
  return Status();
}
