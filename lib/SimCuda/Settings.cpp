// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The FOVEA_SIM_* variables.

#include "Settings.h"
#include "Driver.h"

#include <cstdlib>

using namespace fovea;
using namespace fovea::simcuda;

static std::string variable(const char *name) {
  const char *text = std::getenv(name);
  return text ? text : "";
}

[[noreturn]] static void refuse(const std::string &name,
                                const std::string &expected,
                                const std::string &found) {
  throw Failure(CUDA_ERROR_INVALID_VALUE, "expected " + name + " to be " +
                                              expected + ", found '" + found +
                                              "'");
}

static uint64_t number(const char *name, uint64_t otherwise) {
  std::string text = variable(name);
  if (text.empty())
    return otherwise;
  char *end = nullptr;
  uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (*end != 0 || text[0] == '-')
    refuse(name, "a number", text);
  return value;
}

/// Whether the variable is the second of two words; unset is the first.
static bool isSecond(const char *name, const std::string &first,
                     const std::string &second) {
  std::string text = variable(name);
  if (!text.empty() && text != first && text != second)
    refuse(name, first + " or " + second, text);
  return text == second;
}

Settings fovea::simcuda::readSettings() {
  Settings settings;
  std::string checks = variable("FOVEA_SIM_CHECK");
  if (!checks.empty() && !sim::Checks::parse(checks, settings.checks))
    refuse("FOVEA_SIM_CHECK",
           "all, none, or some of races,bounds,align,uninit,sync,same-value",
           checks);
  settings.seed = number("FOVEA_SIM_SEED", 0);
  settings.threads = static_cast<unsigned>(number("FOVEA_SIM_THREADS", 0));
  settings.exactSums = isSecond("FOVEA_SIM_TENSOR", "float", "exact");
  settings.perturb = number("FOVEA_SIM_PERTURB", 0) != 0;
  settings.findingsFail = !isSecond("FOVEA_SIM_ON_FINDING", "fail", "report");
  settings.report = variable("FOVEA_SIM_REPORT");
  return settings;
}
