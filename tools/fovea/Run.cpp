// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fovea run and fovea bench: a kernel (compiled now, or a bundle's), arrays
// (from files, or random), launches, and a report. Nothing is written unless
// every step went well.

#include "Arrays.h"
#include "Commands.h"
#include "Progress.h"
#include "Report.h"

#include "fovea/Pattern/Parser.h"
#include "fovea/Reference/Reference.h"
#include "fovea/Runtime/Manifest.h"

#include <cstdio>
#include <filesystem>

using namespace fovea;
using namespace fovea::tool;
using runtime::Result;
using runtime::Status;

namespace {
/// A kernel with the text that it was made of.
struct Loaded {
  Kernel kernel;
  std::string text;
  fovea_kernel_info info{};
};
} // namespace

/// The runtime's last error, for a status that is not FOVEA_OK.
static runtime::Error lastError(fovea_status status) {
  return {status, fovea_last_error()};
}

static bool isBundle(const Options &options) {
  std::error_code ignored;
  return !options.text && std::filesystem::is_directory(options.input, ignored);
}

static Result<Loaded> loadBundle(const Options &options) {
  fovea_kernel *kernel = nullptr;
  if (fovea_status s = fovea_kernel_load(options.input.c_str(), &kernel))
    return lastError(s);
  Loaded loaded{Kernel(kernel), "", {}};
  Result<runtime::Manifest> manifest =
      runtime::parseManifest(loaded.kernel.manifest());
  if (!manifest)
    return manifest.error();
  loaded.text = manifest->pattern;
  return loaded;
}

static Result<Loaded> compileKernel(const Options &options,
                                    Progress &progress) {
  CompileOptions compileOptions = options.compile;
  if (!options.device.empty()) {
    // Before compiling: a machine without a driver should say so at once.
    if (fovea_status s = fovea_device_available(options.device.c_str()))
      return lastError(s);
    compileOptions.target = options.device == "host" ? "host" : "sm_80";
  }
  compileOptions.packedOnly = true; // as the arrays of files are
  Result<std::string> text = readPattern(options);
  if (!text)
    return text.error();
  progress.show("compiling");
  Outcome<Kernel> kernel = compile(*text, compileOptions);
  progress.show("");
  printDiagnostics(kernel.diagnostics, *text);
  if (!kernel)
    return alreadyShown(kernel.status);
  return Loaded{std::move(*kernel), std::move(*text), {}};
}

static Result<Loaded> loadKernel(const Options &options, Progress &progress) {
  Result<Loaded> loaded = isBundle(options) ? loadBundle(options)
                                            : compileKernel(options, progress);
  if (loaded)
    if (fovea_status s =
            fovea_kernel_get_info(loaded->kernel.get(), &loaded->info))
      return lastError(s);
  return loaded;
}

/// The tiles that a launch visits. A GPU kernel cannot tell; a host kernel with
/// the same tiles can, because the key ranges are the same arithmetic.
static std::optional<fovea_tile_counts> countTiles(const Loaded &loaded,
                                                   const fovea_launch &launch) {
  fovea_tile_counts counts{};
  if (loaded.info.counts_tiles) {
    if (fovea_count_tiles(loaded.kernel.get(), &launch, &counts) == FOVEA_OK)
      return counts;
    return std::nullopt;
  }
  CompileOptions options;
  options.rows = loaded.info.tile_m;
  options.keys = loaded.info.tile_n;
  options.countOnly = true;
  Outcome<Kernel> counter = compile(loaded.text, options);
  if (!counter ||
      fovea_count_tiles(counter->get(), &launch, &counts) != FOVEA_OK)
    return std::nullopt;
  return counts;
}

static Result<VerifyReport> verify(const Loaded &loaded,
                                   const fovea_launch &launch) {
  pattern::ParseResult parsed = pattern::parsePattern(loaded.text, "<pattern>");
  if (!parsed) {
    printDiagnostics(parsed.diagnostics, loaded.text);
    return alreadyShown(FOVEA_WRONG_INPUT);
  }
  std::vector<pattern::ParamValue> params =
      pattern::defaultParams(*parsed.pattern);
  for (size_t i = 0; i < params.size(); ++i)
    for (size_t j = 0; j < launch.num_params; ++j)
      if (parsed.pattern->params[i].name == launch.params[j].name) {
        const fovea_param &given = launch.params[j];
        params[i].integer = given.int_value;
        params[i].real = given.kind == FOVEA_FLOAT
                             ? given.float_value
                             : static_cast<float>(given.int_value);
      }
  reference::Result expected = reference::attention(
      *parsed.pattern, params, launch.q, launch.k, launch.v);
  reference::Difference difference =
      reference::compare(expected, launch.o, launch.lse);
  return VerifyReport{difference.o, difference.lse,
                      reference::largestMagnitude(launch.v)};
}

/// Launches options.repeat times, after one launch that is not counted in a
/// benchmark, and gives every time.
static Result<std::vector<double>> measure(const Options &options,
                                           const Loaded &loaded,
                                           fovea_launch &launch,
                                           Progress &progress) {
  std::vector<double> seconds;
  int warmUps = options.command == Command::Bench ? 1 : 0;
  for (int i = -warmUps; i < options.repeat; ++i) {
    progress.show(i < 0 ? "warming up"
                        : "run " + std::to_string(i + 1) + " of " +
                              std::to_string(options.repeat));
    if (fovea_status s = fovea_kernel_launch(loaded.kernel.get(), &launch))
      return lastError(s);
    if (i >= 0)
      seconds.push_back(launch.seconds);
  }
  return seconds;
}

static Status writeOutputs(const Options &options, const Arrays &arrays) {
  if (!options.output.empty()) {
    Status s = arrays.outputType == arrays.o.type
                   ? runtime::writeNpy(options.output, arrays.o)
                   : runtime::writeNpy(
                         options.output,
                         runtime::convertArray(arrays.o, arrays.outputType));
    if (!s)
      return s;
  }
  return options.lse.empty() ? Status()
                             : runtime::writeNpy(options.lse, arrays.lse);
}

static fovea_launch makeLaunch(const Options &options, Arrays &arrays,
                               const std::vector<fovea_param> &params) {
  fovea_launch launch;
  fovea_launch_init(&launch);
  launch.q = runtime::tensorOf(arrays.q);
  launch.k = runtime::tensorOf(arrays.k);
  launch.v = runtime::tensorOf(arrays.v);
  launch.o = runtime::tensorOf(arrays.o);
  launch.lse = reinterpret_cast<float *>(arrays.lse.data.data());
  launch.params = params.data();
  launch.num_params = params.size();
  launch.device = options.device.empty() ? nullptr : options.device.c_str();
  launch.threads = options.threads;
  return launch;
}

Status fovea::tool::runKernel(const Options &options) {
  Progress progress;
  // The simulator is a driver: what is asked of it goes by the environment.
  for (auto [variable, value] :
       {std::pair("FOVEA_SIM_CHECK", &options.check),
        std::pair("FOVEA_SIM_REPORT", &options.simReport)})
    if (!value->empty())
      setenv(variable, value->c_str(), /*overwrite=*/1);
  std::vector<std::string> paramTexts = options.params;
  Result<std::vector<fovea_param>> params = readParams(paramTexts);
  if (!params)
    return params.error();
  Result<Loaded> loaded = loadKernel(options, progress);
  if (!loaded)
    return loaded.error();
  progress.show("preparing arrays");
  Result<Arrays> arrays = options.command == Command::Bench
                              ? drawArrays(options, loaded->info)
                              : readArrays(options, loaded->info);
  if (!arrays)
    return arrays.error();

  fovea_launch launch = makeLaunch(options, *arrays, *params);
  Result<std::vector<double>> seconds =
      measure(options, *loaded, launch, progress);
  if (!seconds)
    return seconds.error();
  RunReport report{.name = loaded->info.name,
                   .device = options.device.empty() ? loaded->info.device
                                                    : options.device,
                   .seconds = std::move(*seconds),
                   .batch = launch.q.shape[0],
                   .nq = launch.q.shape[2],
                   .nk = launch.k.shape[2],
                   .info = loaded->info,
                   .counts = countTiles(*loaded, launch),
                   .verify = {}};
  if (options.verify) {
    progress.show("verifying");
    Result<VerifyReport> verified = verify(*loaded, launch);
    if (!verified)
      return verified.error();
    report.verify = *verified;
  }
  if (Status s = writeOutputs(options, *arrays); !s)
    return s;
  progress.show("");
  std::fputs((options.json ? jsonReport(report) : textReport(report)).c_str(),
             stdout);
  return Status();
}
