// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel goes the way of every user: text, compile, launch. Only the
// expected numbers come from elsewhere.

#include "CaseRun.h"

#include "fovea/Compiler.h"
#include "fovea/Reference/Reference.h"

using namespace fovea;
using namespace fovea::fuzz;
using reference::RandomCase;

static std::vector<fovea_param> paramsOf(const RandomCase &c) {
  std::vector<fovea_param> params;
  for (size_t i = 0; i < c.params.size(); ++i) {
    const pattern::Param &param = c.pattern.params[i];
    bool isInt = param.type == pattern::ParamType::Int;
    params.push_back({param.name.c_str(), isInt ? FOVEA_INT : FOVEA_FLOAT,
                      c.params[i].integer, c.params[i].real});
  }
  return params;
}

/// What the compiler said, in one line a diagnostic.
template <typename T> static std::string messages(const Outcome<T> &outcome) {
  std::string text = "does not compile";
  for (const pattern::Diagnostic &diagnostic : outcome.diagnostics)
    if (diagnostic.severity == pattern::Severity::Error)
      text += "\n  " + diagnostic.message;
  return text;
}

static std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", value);
  return text;
}

/// Compares what a launch wrote with the reference; counts may be null.
static Verdict compareWithReference(RandomCase &c, const fovea_launch &launch,
                                    const fovea_tile_counts *counts) {
  reference::Result expected =
      reference::attention(c.pattern, c.params, launch.q, launch.k, launch.v);
  reference::Difference difference =
      reference::compare(expected, launch.o, launch.lse);
  double bound = c.tolerance * reference::largestMagnitude(launch.v);
  Verdict verdict;
  verdict.error = difference.o > 0 ? difference.o / bound : 0;
  if (!(difference.o <= bound))
    verdict.problem = "O differs by " + number(difference.o) +
                      ", expected at most " + number(bound);
  else if (!(difference.lse <= c.lseTolerance))
    verdict.problem = "LSE differs by " + number(difference.lse) +
                      ", expected at most " + number(c.lseTolerance);
  else if (counts && counts->kept_pairs != expected.keptPairs)
    verdict.problem = "expected " + std::to_string(expected.keptPairs) +
                      " kept pairs, but the kernel counts " +
                      std::to_string(counts->kept_pairs);
  else if (!c.o.gapsUntouched())
    verdict.problem = "wrote outside the elements of O";
  return verdict;
}

/// Compiles for a target and runs on a device; the host counts tiles as well.
static Verdict runOn(RandomCase &c, const char *target, const char *device) {
  CompileOptions options;
  options.target = target;
  Outcome<Kernel> kernel = compile(c.text, options);
  if (!kernel)
    return {messages(kernel)};
  std::vector<fovea_param> params = paramsOf(c);
  std::vector<float> lse(c.batch * c.pattern.queryHeads * c.nq, -7.0f);
  fovea_launch launch;
  fovea_launch_init(&launch);
  launch.q = c.q.view();
  launch.k = c.k.view();
  launch.v = c.v.view();
  launch.o = c.o.view();
  launch.lse = lse.data();
  launch.params = params.data();
  launch.num_params = params.size();
  launch.device = device;
  launch.threads = 1; // cases run side by side
  fovea_tile_counts counts{};
  bool counted = options.target == "host";
  if (fovea_kernel_launch(kernel->get(), &launch) != FOVEA_OK ||
      (counted &&
       fovea_count_tiles(kernel->get(), &launch, &counts) != FOVEA_OK))
    return {std::string("does not run: ") + fovea_last_error()};
  return compareWithReference(c, launch, counted ? &counts : nullptr);
}

Verdict fuzz::runOnHost(RandomCase &c) { return runOn(c, "host", "host"); }
Verdict fuzz::runOnGpu(RandomCase &c, const char *device) {
  return runOn(c, "sm_80", device);
}

Verdict fuzz::assemble(const RandomCase &c) {
  CompileOptions options;
  options.target = "sm_80";
  Outcome<Artifact> cubin = emit(c.text, Stage::Cubin, options);
  if (!cubin)
    return {messages(cubin)};
  Verdict verdict;
  if (!cubin->assemblerMessages.empty())
    verdict.problem = "ptxas: " + cubin->assemblerMessages;
  // No spills is a promise for the head dimensions that models use.
  auto usual = [](int64_t dim) { return dim == 64 || dim == 128; };
  bool promised = usual(c.pattern.qkDim) && usual(c.pattern.vDim);
  for (const AssemblerReport &report : cubin->assembler)
    if (promised && report.spillStores + report.spillLoads > 0)
      verdict.problem += "ptxas: " + report.entry + " spills " +
                         std::to_string(report.spillStores) + " bytes";
  return verdict;
}
