// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// fovea-sim KERNEL.ptx --launch launch.json: runs a kernel on the simulator,
// compares its outputs and says what it does wrong.
#include "Case.h"
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace fovea::sim;

namespace {

enum ExitStatus { Good = 0, Findings = 1, OutputsDiffer = 2, Unsupported = 3 };

constexpr const char *usage =
    "usage: fovea-sim KERNEL.ptx --launch LAUNCH.json [options]\n"
    "  --check LIST     all (default), none, or races,bounds,align,uninit,"
    "sync,same-value\n"
    "  --seed N         order of warps and asynchronous completions\n"
    "  --report FILE    counts, and writes the report as JSON; - is standard "
    "output\n"
    "  --tensor MODE    float (default) or exact tensor-core sums\n"
    "  --perturb        moves the last bit of approximate functions\n"
    "  --threads N      worker threads without race checks; 0 takes all\n"
    "  --limit N        a launch of more warp instructions is a deadlock\n"
    "Exit status: 0 outputs right and nothing found, 1 findings, 2 outputs "
    "differ,\n3 not supported or malformed.\n";

struct Arguments {
  std::string kernel, launch, report;
  CaseOptions options;
};

bool parseArguments(int argc, char **argv, Arguments &out) {
  for (int i = 1; i < argc; ++i) {
    std::string arg = argv[i];
    std::string value;
    size_t equals = arg.find('=');
    bool isOption = arg.rfind("--", 0) == 0;
    if (isOption && equals != std::string::npos) {
      value = arg.substr(equals + 1);
      arg = arg.substr(0, equals);
    } else if (isOption && arg != "--perturb" && arg != "--help") {
      if (++i >= argc)
        return false;
      value = argv[i];
    }
    if (arg == "--report") {
      out.report = value;
      out.options.count = true;
      if (value == "-") // which the kernel must not print into
        out.options.printed = stderr;
    } else if (!isOption)
      out.kernel = arg;
    else if (arg == "--launch")
      out.launch = value;
    else if (arg == "--seed")
      out.options.seed = std::stoull(value);
    else if (arg == "--threads")
      out.options.threads = static_cast<unsigned>(std::stoul(value));
    else if (arg == "--limit")
      out.options.limit = std::stoull(value);
    else if (arg == "--perturb")
      out.options.perturbApprox = true;
    else if (arg == "--tensor" && (value == "exact" || value == "float"))
      out.options.exactTensorSums = value == "exact";
    else if (arg != "--check" || !Checks::parse(value, out.options.checks))
      return false;
  }
  return !out.kernel.empty() && !out.launch.empty();
}

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw std::runtime_error("cannot read '" + path + "'");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void printFinding(const std::string &file, const Finding &f) {
  std::fprintf(stderr, "%s:%u: %s: %s", file.c_str(), f.line, f.kind.c_str(),
               f.message.c_str());
  if (f.otherLine)
    std::fprintf(stderr, ", other access at line %u", f.otherLine);
  std::fprintf(stderr, " [%s cta (%u,%u,%u) warp %d lane %d", f.kernel.c_str(),
               f.cta.x, f.cta.y, f.cta.z, f.warp, f.lane);
  if (!f.allocation.empty())
    std::fprintf(stderr, " '%s'", f.allocation.c_str());
  if (f.occurrences > 1)
    std::fprintf(stderr, ", %llu times",
                 static_cast<unsigned long long>(f.occurrences));
  std::fprintf(stderr, "]\n");
}

int run(const Arguments &arguments) {
  nlohmann::json launch = nlohmann::json::parse(readFile(arguments.launch));
  std::string folder =
      std::filesystem::path(arguments.launch).parent_path().string();
  CaseResult result = runCase(readFile(arguments.kernel), launch,
                              folder.empty() ? "." : folder, arguments.options);
  for (const Finding &finding : result.launch.findings)
    printFinding(arguments.kernel, finding);
  for (const auto &[name, output] : result.outputs)
    if (!output.ok)
      std::fprintf(stderr, "%s: output '%s' differs in %zu elements, by %g\n",
                   arguments.kernel.c_str(), name.c_str(), output.mismatches,
                   output.maxAbsError);
  if (!arguments.report.empty()) {
    std::string text = reportOf(result).dump(1) + "\n";
    if (arguments.report == "-") {
      std::fputs(text.c_str(), stdout);
    } else {
      std::ofstream out(arguments.report);
      out << text;
      if (!out)
        throw std::runtime_error("cannot write '" + arguments.report + "'");
    }
  }
  if (!result.launch.findings.empty())
    return Findings;
  return result.outputsOk() ? Good : OutputsDiffer;
}

} // namespace

int main(int argc, char **argv) {
  Arguments arguments;
  try {
    if (!parseArguments(argc, argv, arguments)) {
      std::fputs(usage, stderr);
      return Unsupported;
    }
    return run(arguments);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s: error: %s\n",
                 arguments.kernel.empty() ? "fovea-sim"
                                          : arguments.kernel.c_str(),
                 error.what());
    return Unsupported;
  }
}
