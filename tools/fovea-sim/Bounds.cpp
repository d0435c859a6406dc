// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lower bounds of cycles by pipe.
//
// A pipe that takes n lanes a cycle needs 32 / n cycles for a warp
// instruction; shared memory needs one a wavefront; the tensor cores do so
// many multiply-adds a cycle. What all CTAs ask of a pipe is spread over the
// multiprocessors at best evenly, and what one CTA asks of it is all on one.
//
// Only what machine code cannot leave out is counted (lib/Sim/Counts/Costs.h),
// so these are bounds whatever ptxas does. Beside them stands what the pipes
// would take if every PTX instruction became one of machine code, which is no
// bound.
#include "Bounds.h"
#include <algorithm>
#include <cmath>

namespace fovea::sim {

using nlohmann::json;

namespace {

/// Lanes and warp instructions of a multiprocessor and cycle (CUDA programming
/// guide, "Arithmetic Instructions"; those of the H100 were measured on an
/// H200, docs/counts.md). Tensor cores: lib/Sim/Counts/Costs.cpp.
struct Machine {
  const char *name;
  unsigned processors;
  Unit tensor;
  double floats, halves, doubles, alu, mufu;
  double fromInteger; // by MUFU, or by the ALU if it is that fast
  double issue;
};
constexpr Machine machines[] = {
    {"A100", 108, Unit::TensorA100, 64, 128, 32, 64, 16, 16, 4},
    {"H100", 132, Unit::TensorH100, 128, 128, 64, 64, 16, 64, 4}};

using Cycles = std::vector<std::pair<const char *, double>>;

/// Cycles of one multiprocessor that does all of it.
Cycles cyclesOf(const UnitSums &sums, const Machine &m) {
  auto unit = [&](Unit which) { return at(sums, which); };
  double fused = std::max(unit(Unit::FloatAdd), unit(Unit::FloatMul));
  bool onAlu = m.fromInteger == m.alu;
  double from = 32 * unit(Unit::FromInteger) / m.fromInteger;
  return {{"tensor", unit(m.tensor)},
          {"fma", 32 * (unit(Unit::Float) + fused) / m.floats},
          {"half", 32 * unit(Unit::Half) / m.halves},
          {"fp64", 32 * unit(Unit::Double) / m.doubles},
          {"alu", 32 * unit(Unit::Alu) / m.alu + (onAlu ? from : 0)},
          {"mufu", 32 * unit(Unit::Mufu) / m.mufu + (onAlu ? 0 : from)},
          {"shared", unit(Unit::Data)},
          {"issue", unit(Unit::Issue) / m.issue}};
}

/// The same if machine code had the PTX's instructions.
Cycles asWritten(const std::vector<const InstCount *> &counts,
                 const Machine &m) {
  double fma = 0, alu = 0, mufu = 0, doubles = 0, shared = 0, issue = 0;
  UnitSums least{};
  for (const InstCount *c : counts) {
    auto n = static_cast<double>(c->warps);
    for (unsigned u = 0; u < unitCount; ++u)
      least[u] += c->least[u];
    if (c->pipe == "fma")
      fma += 32 * n / m.floats;
    else if (c->pipe == "fp64")
      doubles += 32 * n / m.doubles;
    else if (c->pipe == "alu")
      alu += 32 * n / m.alu;
    else if (c->pipe == "mufu")
      mufu += 32 * n / m.mufu;
    if (c->pipe != "move")
      issue += n / m.issue;
    shared += c->least[static_cast<unsigned>(Unit::Data)];
  }
  return {{"tensor", cyclesOf(least, m)[0].second},
          {"fma", fma},
          {"fp64", doubles},
          {"alu", alu},
          {"mufu", mufu},
          {"shared", shared},
          {"issue", issue}};
}

double round3(double value) { return std::round(value * 1000) / 1000; }

json listed(const Cycles &cycles, double divisor = 1) {
  json list = json::object();
  for (const auto &[name, value] : cycles)
    list[name] = round3(value / divisor);
  return list;
}

/// The binding pipe and the share of the tensor bound that it leaves.
void judge(json &result, const Cycles &cycles) {
  double worst = 0;
  result["binding"] = "none";
  for (const auto &[name, value] : cycles)
    if (value > worst) {
      worst = value;
      result["binding"] = name;
    }
  result["share_of_tensor_bound"] =
      worst > 0 ? round3(cycles[0].second / worst) : 0;
}

UnitSums sumOf(const std::vector<const InstCount *> &counts) {
  UnitSums sums{};
  for (const InstCount *count : counts)
    for (unsigned u = 0; u < unitCount; ++u)
      sums[u] += count->least[u];
  return sums;
}

std::vector<const InstCount *> membersOf(const LaunchResult &launch,
                                         const LoopCount &loop) {
  std::vector<const InstCount *> members;
  for (uint32_t member : loop.members)
    members.push_back(&launch.counts[member]);
  return members;
}

json boundsOn(const LaunchResult &launch, const Machine &machine) {
  std::vector<const InstCount *> all;
  for (const InstCount &count : launch.counts)
    all.push_back(&count);
  double used = static_cast<double>(
      std::clamp<uint64_t>(launch.ctas, 1, machine.processors));
  Cycles total = cyclesOf(sumOf(all), machine);
  Cycles busiest = cyclesOf(launch.busiestCta, machine);
  Cycles bound = total;
  for (size_t i = 0; i < bound.size(); ++i)
    bound[i].second = std::max(total[i].second / used, busiest[i].second);
  json result = {{"processors_used", used},
                 {"cycles", listed(bound)},
                 {"processor_cycles", listed(total)},
                 {"busiest_cta", listed(busiest)},
                 {"as_written", listed(asWritten(all, machine), used)},
                 {"loops", json::array()}};
  judge(result, bound);
  for (const LoopCount &loop : launch.loops) {
    std::vector<const InstCount *> members = membersOf(launch, loop);
    Cycles cycles = cyclesOf(sumOf(members), machine);
    json entry = {{"first_line", loop.firstLine},
                  {"last_line", loop.lastLine},
                  {"processor_cycles", listed(cycles)},
                  {"as_written", listed(asWritten(members, machine))}};
    judge(entry, cycles);
    result["loops"].push_back(std::move(entry));
  }
  return result;
}

} // namespace

json boundsOf(const LaunchResult &launch) {
  json bounds = {{"what", "lower bounds of cycles, not times"}};
  for (const Machine &machine : machines)
    bounds[machine.name] = boundsOn(launch, machine);
  return bounds;
}

} // namespace fovea::sim
