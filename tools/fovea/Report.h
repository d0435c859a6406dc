// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a run tells at its end.

#ifndef FOVEA_TOOLS_REPORT_H
#define FOVEA_TOOLS_REPORT_H

#include "fovea/fovea_runtime.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fovea::tool {

/// Errors against the reference, absolute; maxV is the largest |V|, to which
/// tolerances are relative.
struct VerifyReport {
  double o = 0, lse = 0, maxV = 0;
};

struct RunReport {
  std::string name;            // the pattern's
  std::string device;          // "host", "cuda" or "sim"
  std::vector<double> seconds; // of every run, at least one
  int64_t batch = 0, nq = 0, nk = 0;
  fovea_kernel_info info{};
  /// Absent where nothing could count them.
  std::optional<fovea_tile_counts> counts;
  std::optional<VerifyReport> verify;

  double minSeconds() const;
  double medianSeconds() const;
  /// Operations on kept pairs only, 2 (D + E) each, over the shortest time.
  std::optional<double> gflops() const;
};

/// One JSON object and a newline: {"seconds": {"min", "median"}, "kept_pairs",
/// "tiles": {"visited", "masked", "size": [m, n]}, "gflops", "device",
/// "max_abs_error"}, the last with --verify. What is not known is null.
std::string jsonReport(const RunReport &report);

/// The same for people.
std::string textReport(const RunReport &report);

} // namespace fovea::tool

#endif // FOVEA_TOOLS_REPORT_H
