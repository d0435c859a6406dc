// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lower bounds of cycles by pipe.
//
// A pipe that takes n lanes a cycle needs 32 / n cycles for a warp
// instruction; shared memory needs one a wavefront; the tensor cores do so
// many multiply-adds a cycle. Moves, address conversions and parameter loads
// may cost nothing in machine code, so they bound nothing here.
#include "Bounds.h"
#include <algorithm>

namespace fovea::sim {

using nlohmann::json;

namespace {

/// Throughput of a multiprocessor and cycle.
struct Machine {
  const char *name;
  unsigned processors;
  double tensorF16;      // multiply-adds of f16 or bf16
  double fma, alu, mufu; // lanes
  double issue;          // warp instructions
};
constexpr Machine machines[] = {{"A100", 108, 1024, 64, 64, 16, 4},
                                {"H100", 132, 2048, 128, 64, 16, 4}};

/// Multiply-adds a cycle relative to f16, by the type of the operands.
double tensorRate(const std::string &opcode) {
  auto has = [&](const char *type) {
    return opcode.find(type) != std::string::npos;
  };
  if (has(".tf32"))
    return 0.5;
  if (has(".f64"))
    return 1.0 / 16;
  if (has(".b1"))
    return 16;
  if (has(".s4") || has(".u4"))
    return 4;
  if (has(".s8") || has(".u8") || has(".e4m3") || has(".e5m2"))
    return 2;
  return 1;
}

struct Sums {
  double tensor = 0, fma = 0, alu = 0, mufu = 0, shared = 0, issued = 0;

  void add(const InstCount &c, const Machine &m) {
    auto n = static_cast<double>(c.warps);
    if (c.pipe == "tensor")
      tensor += static_cast<double>(c.multiplyAdds) /
                (m.tensorF16 * tensorRate(c.opcode));
    else if (c.pipe == "fma")
      fma += n * 32 / m.fma;
    else if (c.pipe == "alu")
      alu += n * 32 / m.alu;
    else if (c.pipe == "mufu")
      mufu += n * 32 / m.mufu;
    shared += static_cast<double>(c.wavefronts);
    if (c.pipe != "uniform" && c.pipe != "control")
      issued += n / m.issue;
  }
};

json boundsOn(const LaunchResult &launch, const Machine &machine) {
  Sums sums;
  for (const InstCount &count : launch.counts)
    sums.add(count, machine);
  const std::pair<const char *, double> pipes[] = {
      {"tensor", sums.tensor}, {"fma", sums.fma},       {"alu", sums.alu},
      {"mufu", sums.mufu},     {"shared", sums.shared}, {"issue", sums.issued}};
  double used = static_cast<double>(
      std::clamp<uint64_t>(launch.ctas, 1, machine.processors));
  json result = {{"processors_used", used}};
  double worst = 0;
  std::string binding = "none";
  for (const auto &[name, cycles] : pipes) {
    result["processor_cycles"][name] = cycles;
    result["cycles"][name] = cycles / used;
    if (cycles > worst) {
      worst = cycles;
      binding = name;
    }
  }
  result["binding"] = binding;
  result["share_of_tensor_bound"] = worst > 0 ? sums.tensor / worst : 0;
  return result;
}

json loopsOf(const LaunchResult &launch) {
  json loops = json::array();
  for (const InstCount &branch : launch.counts) {
    if (!branch.target)
      continue;
    json loop = {{"first_line", branch.target},
                 {"last_line", branch.line},
                 {"warp_rounds", branch.warps},
                 {"by_pipe", json::object()}};
    uint64_t total = 0;
    for (const InstCount &count : launch.counts) {
      if (count.line < branch.target || count.line > branch.line)
        continue;
      total += count.warps;
      loop["by_pipe"][count.pipe] =
          loop["by_pipe"].value(count.pipe, uint64_t(0)) + count.warps;
    }
    loop["warp_instructions"] = total;
    loops.push_back(std::move(loop));
  }
  return loops;
}

} // namespace

json countsOf(const LaunchResult &launch) {
  json counts = {{"what", "PTX instructions; machine code has others"},
                 {"warp_instructions", launch.warpInstructions},
                 {"by_opcode", json::object()},
                 {"by_pipe", json::object()}};
  uint64_t warps = 0, threads = 0, barriers = 0;
  json shared = json::array(), idle = json::array();
  for (const InstCount &c : launch.counts) {
    if (!c.threads)
      idle.push_back(c.line);
    warps += c.warps;
    threads += c.threads;
    if (c.opcode.rfind("bar", 0) == 0)
      barriers += c.warps;
    for (const auto &[key, name] :
         {std::pair{"by_opcode", c.opcode}, std::pair{"by_pipe", c.pipe}})
      counts[key][name] = counts[key].value(name, uint64_t(0)) + c.warps;
    if (c.requests)
      shared.push_back({{"line", c.line},
                        {"opcode", c.opcode},
                        {"requests", c.requests},
                        {"wavefronts", c.wavefronts}});
  }
  counts["shared"] = std::move(shared);
  counts["lines_not_executed"] = std::move(idle);
  counts["barriers"] = barriers;
  counts["lanes_per_instruction"] =
      warps ? static_cast<double>(threads) / static_cast<double>(warps) : 0;
  counts["global"] = json::object();
  for (const auto &[name, a] : launch.allocations)
    counts["global"][name] = {{"read_bytes", a.readBytes},
                              {"written_bytes", a.writtenBytes},
                              {"sectors", a.sectors}};
  counts["loops"] = loopsOf(launch);
  return counts;
}

json boundsOf(const LaunchResult &launch) {
  json bounds = {{"what", "lower bounds of cycles, not times"}};
  for (const Machine &machine : machines)
    bounds[machine.name] = boundsOn(launch, machine);
  return bounds;
}

} // namespace fovea::sim
