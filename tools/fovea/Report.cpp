// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Report.h"

#include "fovea/Runtime/Manifest.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace fovea;
using namespace fovea::tool;
namespace json = llvm::json;

double RunReport::minSeconds() const {
  return *std::min_element(seconds.begin(), seconds.end());
}

double RunReport::medianSeconds() const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  size_t middle = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[middle]
                           : (sorted[middle - 1] + sorted[middle]) / 2;
}

std::optional<double> RunReport::gflops() const {
  if (!counts || minSeconds() <= 0)
    return std::nullopt;
  double operations = 2.0 * static_cast<double>(info.dim_qk + info.dim_v) *
                      static_cast<double>(counts->kept_pairs);
  return operations / minSeconds() * 1e-9;
}

/// JSON has no infinity and no NaN.
static json::Value number(std::optional<double> value) {
  if (!value || !std::isfinite(*value))
    return nullptr;
  return *value;
}

std::string fovea::tool::jsonReport(const RunReport &r) {
  auto count = [&](int64_t fovea_tile_counts::*member) -> json::Value {
    if (!r.counts)
      return nullptr;
    return (*r.counts).*member;
  };
  std::string text;
  llvm::raw_string_ostream os(text);
  json::OStream out(os);
  out.object([&] {
    out.attributeObject("seconds", [&] {
      out.attribute("min", r.minSeconds());
      out.attribute("median", r.medianSeconds());
    });
    out.attribute("kept_pairs", count(&fovea_tile_counts::kept_pairs));
    out.attributeObject("tiles", [&] {
      out.attribute("visited", count(&fovea_tile_counts::visited));
      out.attribute("masked", count(&fovea_tile_counts::masked));
      out.attributeArray("size", [&] {
        out.value(r.info.tile_m);
        out.value(r.info.tile_n);
      });
    });
    out.attribute("gflops", number(r.gflops()));
    out.attribute("device", r.device);
    if (r.verify)
      out.attribute("max_abs_error", number(r.verify->o));
  });
  os << "\n";
  return text;
}

/// 1234567 as 1 234 567.
static std::string grouped(int64_t value) {
  std::string digits = std::to_string(value);
  for (size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, " ");
  return digits;
}

static std::string duration(double seconds) {
  if (seconds < 1e-3)
    return llvm::formatv("{0:f1} us", seconds * 1e6);
  if (seconds < 1)
    return llvm::formatv("{0:f3} ms", seconds * 1e3);
  return llvm::formatv("{0:f3} s", seconds);
}

std::string fovea::tool::textReport(const RunReport &r) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << llvm::formatv("{0} on {1}: batch {2}, heads {3}/{4}, queries {5}, "
                      "keys {6}, {7}\n",
                      r.name, r.device, r.batch, r.info.heads_q,
                      r.info.heads_kv, r.nq, r.nk,
                      runtime::typeName(r.info.type));
  os << "  time        " << duration(r.minSeconds());
  if (r.seconds.size() > 1)
    os << " at best, " << duration(r.medianSeconds()) << " median of "
       << r.seconds.size();
  os << "\n";
  if (r.counts) {
    double pairs = static_cast<double>(r.batch) * r.info.heads_q *
                   static_cast<double>(r.nq) * static_cast<double>(r.nk);
    os << "  kept pairs  " << grouped(r.counts->kept_pairs);
    if (pairs > 0)
      os << llvm::formatv(" ({0:f1} %)",
                          100 * static_cast<double>(r.counts->kept_pairs) /
                              pairs);
    os << "\n  tiles       " << grouped(r.counts->visited) << " visited, "
       << grouped(r.counts->masked) << " of them masked, " << r.info.tile_m
       << " x " << r.info.tile_n << "\n";
  }
  if (std::optional<double> gflops = r.gflops())
    os << llvm::formatv("  speed       {0:f1} GFLOP/s of kept pairs\n",
                        *gflops);
  if (r.verify)
    os << llvm::formatv("  max error   {0:e2} in O, {1:e2} in LSE (max|V| is "
                        "{2:f3})\n",
                        r.verify->o, r.verify->lse, r.verify->maxV);
  return text;
}
