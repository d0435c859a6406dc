// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A launch: makes CTAs, schedules warps from the seed, notices when nothing
// can go on, and gathers findings and counts.
#include "Async/Async.h"
#include "Checks/Races.h"
#include "Counts/Counts.h"
#include "Machine.h"
#include "SpecialRegisters.h"
#include <algorithm>
#include <bit>
#include <cstring>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <thread>

namespace fovea::sim {

namespace {
/// Warp instructions of a worker without an event after which its launch
/// counts as stuck, though no loop was seen to repeat.
constexpr uint64_t patience = 20'000'000'000;
constexpr uint64_t clusterSlice = 1'000'000;
constexpr size_t maxResident = 4096;
} // namespace

Launch::Launch() = default;
Launch::~Launch() = default;
Cluster::Cluster() = default;
Cluster::~Cluster() = default;
Cta::Cta() = default;
Cta::~Cta() = default;

void Launch::report(const char *kind, const Warp &warp, int lane,
                    uint64_t address, const std::string &allocation,
                    const std::string &message, uint32_t otherLine) {
  std::lock_guard<std::mutex> lock(mutex);
  uint32_t line = warp.program->code[warp.pc].line;
  std::string key = std::string(kind) + ':' + std::to_string(line) + ':' +
                    std::to_string(otherLine);
  auto [entry, isNew] = findingIndex.emplace(key, findings.size());
  if (!isNew) {
    ++findings[entry->second].occurrences;
    return;
  }
  Finding finding;
  finding.kind = kind;
  finding.kernel = program->name;
  finding.line = line;
  finding.otherLine = otherLine;
  finding.cta = {warp.cta->x, warp.cta->y, warp.cta->z};
  finding.warp = static_cast<int>(warp.id);
  finding.lane = lane;
  finding.address = address;
  finding.allocation = allocation;
  finding.message = message;
  findings.push_back(std::move(finding));
}

// --- making CTAs ------------------------------------------------------------

void Launch::makeWarp(Cta &cta, Warp &warp, uint32_t id) {
  warp.cta = &cta;
  warp.launch = this;
  warp.program = program;
  warp.id = id;
  uint64_t left = config.block.count() - uint64_t(id) * 32;
  warp.live = left >= 32 ? allLanes : (1u << left) - 1;
  // A cache line more, to align the cells.
  bool checkTaint = config.checks.uninitialized;
  size_t words = size_t(program->cellCount) * 32;
  warp.storage.assign(words + 16 + (checkTaint ? program->cellCount : 0), 0);
  auto start = reinterpret_cast<uintptr_t>(warp.storage.data());
  warp.cells = reinterpret_cast<uint32_t *>((start + 63) / 64 * 64);
  if (checkTaint) {
    warp.taint = warp.cells + words;
    // Registers start unwritten; constants and special registers do not.
    for (const FunctionCode &function : program->functions)
      std::fill(warp.taint + function.firstCell, warp.taint + function.endCell,
                allLanes);
  }
  for (const Program::Constant &constant : program->constants) {
    if (constant.wide)
      std::fill_n(warp.wide(constant.cell), 32, constant.bits);
    else
      std::fill_n(warp.narrow(constant.cell), 32,
                  static_cast<uint32_t>(constant.bits));
  }
  for (auto [which, packed] : program->specials)
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint32_t value = specialValue(which, warp, lane);
      if (packed & 1)
        warp.wide(packed / 2)[lane] = value;
      else
        warp.narrow(packed / 2)[lane] = value;
    }
  warp.localStorage.assign(program->localBytes * 32 * (checkTaint ? 2 : 1), 0);
  warp.local = warp.localStorage.data();
  if (checkTaint)
    warp.localInit = warp.local + program->localBytes * 32;
  Fragment fragment;
  for (const FunctionCode &function : program->functions)
    if (function.name == program->name)
      fragment.pc = function.entry;
  fragment.mask = warp.live;
  warp.fragments.push_back(std::move(fragment));
  if (cta.counts)
    warp.counts = cta.counts->at.data();
}

void Launch::makeCta(Cta &cta, uint32_t x, uint32_t y, uint32_t z) {
  cta.launch = this;
  cta.x = x;
  cta.y = y;
  cta.z = z;
  cta.linear = x + config.grid.x * (y + config.grid.y * z);
  cta.sharedBytes =
      static_cast<uint32_t>(program->staticShared) + config.dynamicSharedBytes;
  cta.sharedStorage.assign(cta.sharedBytes + 1024, 0xcd);
  auto start = reinterpret_cast<uintptr_t>(cta.sharedStorage.data());
  cta.shared = reinterpret_cast<uint8_t *>((start + 1023) / 1024 * 1024);
  bool checkInit = config.checks.uninitialized;
  if (checkInit)
    cta.sharedInit.assign(cta.sharedBytes, 0);
  auto add = [&](uint64_t base, uint64_t bytes, uint64_t align,
                 const char *name) {
    Region region;
    region.base = base;
    region.size = bytes;
    region.align = align;
    region.name = name;
    region.data = cta.shared + base;
    region.init = checkInit ? cta.sharedInit.data() + base : nullptr;
    cta.sharedRegions.push_back(std::move(region));
  };
  for (const Placed &placed : program->shared)
    add(placed.offset, placed.bytes, placed.align, placed.name.c_str());
  add(program->staticShared, config.dynamicSharedBytes, program->dynamicAlign,
      program->dynamicName.empty() ? "dynamic shared memory"
                                   : program->dynamicName.c_str());
  cta.liveThreads = static_cast<uint32_t>(config.block.count());
  if (counts)
    cta.counts = std::make_unique<CtaCounts>(*counts, program->code.size());
  auto warps = static_cast<uint32_t>((config.block.count() + 31) / 32);
  for (uint32_t w = 0; w < warps; ++w)
    cta.warps.emplace_back();
  for (uint32_t w = 0; w < warps; ++w)
    makeWarp(cta, cta.warps[w], w);
  if (races)
    races->addCta(cta);
}

void Launch::makeCluster(Cluster &made, uint64_t index) {
  made.launch = this;
  made.random.state = config.seed * 0x9e3779b97f4a7c15ull + index;
  made.async = std::make_unique<AsyncState>();
  Dim3 clusters{config.grid.x / cluster.x, config.grid.y / cluster.y,
                config.grid.z / cluster.z};
  auto cx = static_cast<uint32_t>(index % clusters.x);
  auto cy = static_cast<uint32_t>(index / clusters.x % clusters.y);
  auto cz = static_cast<uint32_t>(index / clusters.x / clusters.y);
  uint32_t rank = 0;
  for (uint32_t z = 0; z < cluster.z; ++z)
    for (uint32_t y = 0; y < cluster.y; ++y)
      for (uint32_t x = 0; x < cluster.x; ++x) {
        made.ctas.emplace_back();
        Cta &cta = made.ctas.back();
        cta.cluster = &made;
        cta.rank = rank++;
        makeCta(cta, cx * cluster.x + x, cy * cluster.y + y,
                cz * cluster.z + z);
      }
}

// --- running ----------------------------------------------------------------

Cluster::Status Cluster::run(uint64_t budget) {
  std::vector<Warp *> runnable;
  uint64_t end = executed + budget;
  while (executed < end) {
    runnable.clear();
    bool alive = false;
    for (Cta &cta : ctas)
      for (Warp &warp : cta.warps) {
        alive |= !warp.isDone();
        if (!warp.isDone() && warp.canRun())
          runnable.push_back(&warp);
      }
    if (!alive) {
      async->finish(*this);
      return Done;
    }
    if (runnable.empty()) {
      if (async->advance(*this) || letPollsGiveUp())
        continue;
      return Blocked;
    }
    if (quietChanges != changes) {
      quietChanges = changes;
      quietSince = executed;
    }
    bool watching = executed - quietSince > quietLimit;
    if (watching) {
      if (onlySpins())
        return Running;
      // What spins may wait for a copy.
      if (executed - quietSince > 2 * quietLimit)
        async->advance(*this);
    }
    // Seed 0 runs warps in order, each as far as it gets.
    bool inOrder = launch->config.seed == 0;
    size_t turns = inOrder ? runnable.size() : 1;
    for (size_t i = 0; i < turns; ++i) {
      Warp &warp =
          *runnable[inOrder
                        ? i
                        : random.below(static_cast<uint32_t>(runnable.size()))];
      uint64_t before = warp.executed;
      warp.watching = watching;
      warp.run(inOrder ? 65536 : 1 + random.below(512));
      executed += warp.executed - before;
    }
    timeout = false;
  }
  return Running;
}

/// A try_wait may return false after a while; code that does something else
/// then must get the chance. A few rounds in which nothing happens are enough
/// to know that nothing will.
bool Cluster::letPollsGiveUp() {
  if (idleEvents != events)
    idleRounds = 0;
  idleEvents = events;
  if (idleRounds++ >= 3)
    return false;
  bool any = false;
  for (Cta &cta : ctas)
    for (Warp &warp : cta.warps)
      for (Fragment &fragment : warp.fragments)
        if (fragment.state == Fragment::Polling) {
          fragment.polledAt = ~events;
          any = true;
        }
  timeout = any;
  return any;
}

void Launch::reportStuck(Cluster &stuck) {
  for (Cta &cta : stuck.ctas)
    for (Warp &warp : cta.warps) {
      if (warp.isDone())
        continue;
      for (const Fragment &fragment : warp.fragments) {
        warp.pc = fragment.pc;
        const char *why = "executes without getting on";
        switch (fragment.state) {
        case Fragment::Ready:
          break;
        case Fragment::Converging:
          why = "waits at an aligned instruction for lanes that never come";
          break;
        case Fragment::Gathering:
          why = "waits for lanes of its member mask that never come";
          break;
        case Fragment::AtBarrier:
          why = "waits at a barrier that never completes";
          break;
        case Fragment::Polling:
          why = "waits for something that never happens";
          break;
        }
        report("deadlock", warp, std::countr_zero(fragment.mask), 0, "",
               std::string("the warp ") + why);
      }
    }
}

/// Whether every cluster waits for what will not happen. Other workers may
/// still do something about it.
bool Launch::isStuck(const Residents &resident) {
  for (const auto &cluster : resident)
    if (!cluster->onlySpins())
      return false;
  uint64_t seen = progress;
  ++idleWorkers;
  while (seen == progress && !stopped && idleWorkers < workers)
    std::this_thread::yield();
  --idleWorkers;
  return seen == progress && !stopped;
}

/// Seed 0 runs a cluster as far as it gets, then the next. Any other seed mixes
/// a few, in turns of 1, 2, 4, ... 4096 instructions.
void Launch::worker(std::atomic<uint64_t> &next, uint64_t count) {
  Residents resident;
  Random order{config.seed};
  size_t window = config.seed ? 8 : maxResident;
  uint64_t sinceEvent = 0;
  while (!stopped) {
    uint64_t index = resident.size() < window ? next++ : count;
    if (index < count) {
      resident.push_back(std::make_unique<Cluster>());
      makeCluster(*resident.back(), index);
    } else if (resident.empty()) {
      return;
    } else {
      auto size = static_cast<uint32_t>(resident.size());
      std::rotate(resident.begin(),
                  resident.begin() + 1 + (config.seed ? order.below(size) : 0),
                  resident.end());
    }
    Cluster &current = *resident.back();
    uint64_t slice = config.seed ? 1ull << order.below(13) : clusterSlice;
    uint64_t before = current.executed, changes = current.changes;
    Cluster::Status status =
        current.run(config.limit ? std::min(config.limit, slice) : slice);
    executed += current.executed - before;
    bool changed = current.changes != changes || status == Cluster::Done;
    if (changed)
      ++progress;
    sinceEvent = changed ? 0 : sinceEvent + current.executed - before;
    bool stuck = status == Cluster::Blocked || sinceEvent > patience ||
                 (config.limit && executed > config.limit);
    if (status == Cluster::Done) {
      if (races)
        for (Cta &cta : current.ctas)
          races->removeCta(cta);
      resident.pop_back();
    } else if (current.onlySpins()) {
      if (next < count && resident.size() == window)
        window = std::min(window + 1, maxResident);
      stuck |= (next >= count || resident.size() == maxResident) &&
               isStuck(resident);
    }
    if (stuck) {
      reportStuck(current);
      throw StopLaunch();
    }
  }
}

LaunchResult Launch::run() {
  Dim3 clusters{config.grid.x / cluster.x, config.grid.y / cluster.y,
                config.grid.z / cluster.z};
  uint64_t count = clusters.count();
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  auto work = [&] {
    ++workers;
    try {
      worker(next, count);
    } catch (const StopLaunch &) {
      stopped = true;
      failed = true;
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex);
      stopped = true;
      error = std::current_exception();
    }
    --workers;
  };
  bool parallel = !races && !program->usesHeap && !config.count &&
                  config.threads != 1 && count > 1;
  if (parallel) {
    tbb::task_arena arena(config.threads ? static_cast<int>(config.threads)
                                         : tbb::task_arena::automatic);
    arena.execute([&] {
      int n = tbb::this_task_arena::max_concurrency();
      tbb::parallel_for(0, n, [&](int) { work(); });
    });
  } else {
    work();
  }
  if (error)
    std::rethrow_exception(error);
  LaunchResult result;
  result.findings = std::move(findings);
  result.warpInstructions = executed;
  result.completed = !failed;
  result.ctas = config.grid.count();
  if (counts)
    counts->fill(result);
  return result;
}

} // namespace fovea::sim
