// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fovea-fuzz: random patterns, shapes, strides and types, each compiled and
// compared with the float64 reference. Case i has seed S + i, so that any
// mismatch is repeated by --count 1 --seed of that case.

#include "CaseRun.h"

#include "llvm/Support/CommandLine.h"
#include <atomic>
#include <cstdio>
#include <mutex>
#include <tbb/parallel_for.h>
#include <unistd.h>

using namespace fovea;
using namespace llvm;

// LLVM's options are static by design.
// NOLINTBEGIN(bugprone-throwing-static-initialization)
static cl::OptionCategory category("Options");
static cl::opt<uint64_t> seedOption("seed", cl::desc("Seed of the first case"),
                                    cl::init(1), cl::cat(category));
static cl::opt<int64_t> countOption("count", cl::desc("Number of cases"),
                                    cl::init(1000), cl::cat(category));
static cl::opt<int64_t> lengthOption("max-length",
                                     cl::desc("Longest Nq and Nk (200)"),
                                     cl::init(200), cl::cat(category));
static cl::opt<std::string> targetOption(
    "target",
    cl::desc("host: run and compare (default); sm_80: only assemble by ptxas"),
    cl::value_desc("host|sm_80"), cl::init("host"), cl::cat(category));
static cl::opt<std::string> deviceOption(
    "device",
    cl::desc("Run the sm_80 kernels and compare; sim: on the PTX "
             "simulator, FOVEA_SIM_CHECK as it is; cuda: on a GPU"),
    cl::value_desc("sim|cuda"), cl::cat(category));
static cl::opt<bool> printOption("print",
                                 cl::desc("Print every case before it runs"),
                                 cl::cat(category));
// NOLINTEND(bugprone-throwing-static-initialization)

namespace {
/// What all cases came to; shared by the threads.
class Tally {
public:
  explicit Tally(int64_t total) : total(total), shown(isatty(STDERR_FILENO)) {}

  void add(const reference::RandomCase &c, const fuzz::Verdict &verdict) {
    std::lock_guard<std::mutex> lock(mutex);
    ++done;
    worst = std::max(worst, verdict.error);
    if (!verdict.problem.empty()) {
      ++mismatches;
      std::printf("%s%s\n\n", reference::describe(c).c_str(),
                  verdict.problem.c_str());
    }
    if (shown && done % 10 == 0)
      std::fprintf(stderr, "\r%ld of %ld, %ld mismatches\033[K", done, total,
                   mismatches);
  }

  /// Prints the sum; whether every case was right.
  bool report(uint64_t seed, const std::string &target) const {
    if (shown)
      std::fprintf(stderr, "\r\033[K");
    std::printf("seed %lu, %ld cases on %s, %ld mismatches", seed, done,
                target.c_str(), mismatches);
    if (target != "sm_80")
      std::printf(", largest error %.2f of the tolerance", worst);
    std::printf("\n");
    return mismatches == 0;
  }

private:
  std::mutex mutex;
  const int64_t total;
  const bool shown; ///< progress, on a terminal only
  int64_t done = 0, mismatches = 0;
  double worst = 0;
};
} // namespace

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "fovea-fuzz: random patterns against the reference\n\n"
      "Exit status: 0 no mismatch, 1 wrong input or a mismatch.\n");
  std::string target = targetOption;
  if ((target != "host" && target != "sm_80") || countOption < 1 ||
      lengthOption < 1 ||
      (!deviceOption.empty() && deviceOption != "sim" &&
       deviceOption != "cuda")) {
    std::fprintf(stderr, "fovea-fuzz: error: expected --target host or sm_80, "
                         "--device sim or cuda and numbers of at least 1\n");
    return 1;
  }
  if (!deviceOption.empty())
    target = deviceOption;
  reference::RandomOptions options;
  options.maxLength = lengthOption;
  Tally tally(countOption);
  tbb::parallel_for(int64_t{0}, countOption.getValue(), [&](int64_t i) {
    reference::RandomCase c = makeRandomCase(seedOption + i, options);
    if (printOption)
      std::printf("%s\n", describe(c).c_str());
    tally.add(c, target == "host"    ? fuzz::runOnHost(c)
                 : target == "sm_80" ? fuzz::assemble(c)
                                     : fuzz::runOnGpu(c, target.c_str()));
  });
  return tally.report(seedOption, target) ? 0 : 1;
}
