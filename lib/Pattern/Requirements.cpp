// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is checked before a launch, once the params have values.

#include "fovea/Pattern/Evaluate.h"

#include <cmath>

namespace fovea::pattern {

std::vector<ParamValue> defaultParams(const Pattern &pattern) {
  std::vector<ParamValue> values;
  values.reserve(pattern.params.size());
  for (const Param &param : pattern.params)
    values.push_back(
        {param.intDefault.value_or(0), param.floatDefault.value_or(0.0F)});
  return values;
}

double evaluateScale(const Pattern &pattern,
                     const std::vector<ParamValue> &params) {
  if (!pattern.scale)
    return 1 / std::sqrt(static_cast<double>(pattern.qkDim));
  Environment env;
  env.params = params.data();
  return evaluate(*pattern.scale, env);
}

static std::optional<std::string> checkInteger(const Requirement &requirement,
                                               const Environment &env) {
  int64_t value = evaluate(requirement.integer, env);
  bool ok =
      requirement.kind == RequirementKind::NonZero ? value != 0 : value >= 1;
  if (ok)
    return std::nullopt;
  std::string message =
      requirement.message + ", found " + std::to_string(value);
  if (requirement.perHead)
    message += " for head " + std::to_string(env.h);
  return message;
}

std::optional<std::string>
checkRequirement(const Requirement &requirement, const Pattern &pattern,
                 const std::vector<ParamValue> &params) {
  Environment env;
  env.params = params.data();
  if (requirement.kind == RequirementKind::Finite) {
    auto value = static_cast<float>(evaluate(requirement.real, env));
    if (std::isfinite(value))
      return std::nullopt;
    return requirement.message + ", found " + std::to_string(value);
  }
  int64_t heads = requirement.perHead ? pattern.queryHeads : 1;
  for (env.h = 0; env.h < heads; ++env.h) {
    env.g = env.h / pattern.groupSize();
    if (auto message = checkInteger(requirement, env))
      return message;
  }
  return std::nullopt;
}

std::optional<std::string>
checkRequirements(const Pattern &pattern,
                  const std::vector<ParamValue> &params) {
  for (const Requirement &requirement : pattern.requirements)
    if (auto message = checkRequirement(requirement, pattern, params))
      return message;
  return std::nullopt;
}

} // namespace fovea::pattern
