// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Findings as a line, and the launches of the process as a JSON file.

#include "Driver.h"
#include "Settings.h"

#include "Case.h"

#include <fstream>

using namespace fovea;
using namespace fovea::simcuda;
using nlohmann::json;

static std::string placeOf(const sim::Finding &f) {
  auto number = [](auto value) { return std::to_string(value); };
  return "block (" + number(f.cta.x) + ", " + number(f.cta.y) + ", " +
         number(f.cta.z) + "), warp " + number(f.warp) + ", lane " +
         number(f.lane);
}

std::string fovea::simcuda::describe(const sim::Finding &f) {
  std::string text = f.kind + " in kernel '" + f.kernel + "' at line " +
                     std::to_string(f.line);
  if (f.otherLine)
    text += " and line " + std::to_string(f.otherLine);
  text += ": " + f.message + " [" + placeOf(f);
  if (!f.allocation.empty() && f.message.find(f.allocation) == f.message.npos)
    text += ", in '" + f.allocation + "'";
  return text + "]";
}

static json tripleOf(const sim::Dim3 &d) { return {d.x, d.y, d.z}; }

void fovea::simcuda::reportLaunch(const Settings &settings,
                                  const std::string &kernel,
                                  const sim::LaunchConfig &config,
                                  const sim::LaunchResult &result,
                                  double seconds) {
  if (settings.report.empty())
    return;
  static json findings = json::array(), launches = json::array();
  sim::CaseResult one;
  one.launch = result;
  one.seconds = seconds;
  json launch = sim::reportOf(one);
  for (const json &finding : launch["findings"])
    findings.push_back(finding);
  launch["findings"] = launch["findings"].size();
  launch.erase("outputs");
  launch["kernel"] = kernel;
  launch["grid"] = tripleOf(config.grid);
  launch["block"] = tripleOf(config.block);
  json entry = launch; // without what is large
  entry.erase("counts");
  entry.erase("bounds");
  launches.push_back(std::move(entry));

  // The form of fovea-sim's report; its numbers are the last launch's.
  json report = launch;
  report["findings"] = findings;
  report["outputs"] = json::object();
  report["launches"] = launches;
  std::ofstream file(settings.report);
  file << report.dump(1) << "\n";
  if (!file.flush())
    throw Failure(CUDA_ERROR_UNKNOWN,
                  "cannot write '" + settings.report + "' (FOVEA_SIM_REPORT)");
}
