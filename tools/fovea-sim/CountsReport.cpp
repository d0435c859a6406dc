// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts of a launch as JSON; docs/counts.md has the keys.
#include "Bounds.h"
#include <set>

namespace fovea::sim {

using nlohmann::json;

namespace {

void increase(json &object, const std::string &key, uint64_t by) {
  if (by)
    object[key] = object.value(key, uint64_t(0)) + by;
}

/// Sums that the kernel and its loops have in common.
struct Sums {
  uint64_t warps = 0, threads = 0, predicatedOff = 0;
  json byOpcode = json::object(), byPipe = json::object();
  MemoryCount memory;

  void add(const InstCount &c) {
    warps += c.warps;
    threads += c.threads;
    predicatedOff += c.warps - c.active;
    increase(byOpcode, c.opcode, c.warps);
    increase(byPipe, c.pipe, c.warps);
    memory += c.memory;
  }
};

json conflictsOf(const MemoryCount &m) {
  return {{"requests", m.sharedRequests},
          {"wavefronts", m.wavefronts},
          {"conflicts", m.wavefronts - m.leastWavefronts}};
}

json loopsOf(const LaunchResult &launch) {
  json loops = json::array();
  for (const LoopCount &loop : launch.loops) {
    Sums sums;
    for (uint32_t member : loop.members)
      sums.add(launch.counts[member]);
    loops.push_back({{"first_line", loop.firstLine},
                     {"last_line", loop.lastLine},
                     {"warp_rounds", loop.rounds},
                     {"warp_instructions", sums.warps},
                     {"by_opcode", sums.byOpcode},
                     {"by_pipe", sums.byPipe},
                     {"shared", conflictsOf(sums.memory)},
                     {"bytes", sums.memory.bytes},
                     {"sectors", sums.memory.sectors}});
  }
  return loops;
}

/// Lines none of whose instructions was executed by a lane.
json idleLines(const LaunchResult &launch) {
  std::set<uint32_t> idle, busy;
  for (const InstCount &c : launch.counts)
    (c.threads ? busy : idle).insert(c.line);
  json lines = json::array();
  for (uint32_t line : idle)
    if (!busy.count(line))
      lines.push_back(line);
  return lines;
}

bool isWait(const std::string &opcode) {
  return opcode.rfind("bar", 0) == 0 ||
         opcode.find("_wait") != std::string::npos;
}

json lineOf(const InstCount &c) {
  json line = {{"line", c.line},
               {"opcode", c.opcode},
               {"pipe", c.pipe},
               {"warps", c.warps},
               {"threads", c.threads}};
  if (c.divergent)
    line["divergent"] = c.divergent;
  const MemoryCount &m = c.memory;
  if (m.bytes) {
    line["bytes"] = m.bytes;
    line["sectors"] = m.sectors;
    line["least_sectors"] = m.leastSectors;
  }
  if (m.sharedRequests) {
    line["wavefronts"] = m.wavefronts;
    line["conflicts"] = m.wavefronts - m.leastWavefronts;
  }
  if (m.asyncBytes)
    line["async_bytes"] = m.asyncBytes;
  return line;
}

json globalOf(const LaunchResult &launch) {
  json global = json::object();
  for (const auto &[name, a] : launch.allocations)
    global[name] = {{"read_bytes", a.readBytes},
                    {"written_bytes", a.writtenBytes},
                    {"read_sectors", a.readSectors},
                    {"written_sectors", a.writtenSectors},
                    {"sectors", a.readSectors + a.writtenSectors}};
  return global;
}

} // namespace

json countsOf(const LaunchResult &launch) {
  Sums sums;
  uint64_t barriers = 0, branches = 0, divergent = 0;
  json shared = json::array(), waits = json::array(), lines = json::array();
  for (const InstCount &c : launch.counts) {
    sums.add(c);
    divergent += c.divergent;
    if (c.opcode.rfind("bra", 0) == 0 || c.opcode.rfind("brx", 0) == 0)
      branches += c.warps;
    if (!c.warps)
      continue;
    lines.push_back(lineOf(c));
    if (isWait(c.opcode)) {
      waits.push_back(
          {{"line", c.line}, {"opcode", c.opcode}, {"warps", c.active}});
      barriers += c.opcode.rfind("bar", 0) == 0 ? c.active : 0;
    }
    if (c.memory.sharedRequests) {
      json entry = conflictsOf(c.memory);
      entry["line"] = c.line;
      entry["opcode"] = c.opcode;
      shared.push_back(std::move(entry));
    }
  }
  double lanes = static_cast<double>(sums.threads);
  return {{"what", "PTX instructions; machine code has others"},
          {"warp_instructions", sums.warps},
          {"predicated_off", sums.predicatedOff},
          {"by_opcode", sums.byOpcode},
          {"by_pipe", sums.byPipe},
          {"lanes_per_instruction",
           sums.warps ? lanes / static_cast<double>(sums.warps) : 0},
          {"branches", {{"executed", branches}, {"divergent", divergent}}},
          {"barriers", barriers},
          {"waits", std::move(waits)},
          {"shared", std::move(shared)},
          {"async_bytes", sums.memory.asyncBytes},
          {"local",
           {{"bytes", sums.memory.localBytes},
            {"sectors", sums.memory.localSectors}}},
          {"global", globalOf(launch)},
          {"loops", loopsOf(launch)},
          {"lines", std::move(lines)},
          {"lines_not_executed", idleLines(launch)}};
}

} // namespace fovea::sim
