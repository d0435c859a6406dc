// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The public face: memory, modules, launches.
#include "Checks/Races.h"
#include "Counts/Counts.h"
#include "Machine.h"
#include <cstring>
#include <stdexcept>

namespace fovea::sim {

class LoadedModule {
public:
  Module module;
  SymbolAddresses symbols;
  std::map<std::string, std::unique_ptr<Program>> programs;
  std::mutex mutex;

  const Program &program(const std::string &entry) {
    std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<Program> &known = programs[entry];
    if (!known)
      known = decodeProgram(module, entry, symbols);
    return *known;
  }
};

struct Device::Impl {
  DeviceMemory memory;
  mutable std::mutex mutex;

  Region &regionOf(uint64_t address, size_t bytes) {
    Region *region = memory.find(address);
    if (!region || !region->holds(address, bytes))
      throw std::runtime_error("range of " + std::to_string(bytes) +
                               " bytes is not inside one allocation");
    return *region;
  }
  void placeVariables(LoadedModule &loaded);
};

Device::Device() : impl(std::make_unique<Impl>()) {}
Device::~Device() = default;

uint64_t Device::allocate(size_t bytes, const std::string &name) {
  std::lock_guard<std::mutex> lock(impl->mutex);
  return impl->memory.allocate(bytes, 256, name.empty() ? "allocation" : name)
      .base;
}

void Device::free(uint64_t address) {
  std::lock_guard<std::mutex> lock(impl->mutex);
  impl->memory.free(address);
}

void Device::copyIn(uint64_t to, const void *from, size_t bytes) {
  if (!bytes)
    return;
  std::lock_guard<std::mutex> lock(impl->mutex);
  Region &region = impl->regionOf(to, bytes);
  std::memcpy(region.data + (to - region.base), from, bytes);
  if (region.init)
    std::memset(region.init + (to - region.base), 1, bytes);
}

void Device::copyOut(void *to, uint64_t from, size_t bytes) {
  if (!bytes)
    return;
  std::lock_guard<std::mutex> lock(impl->mutex);
  Region &region = impl->regionOf(from, bytes);
  std::memcpy(to, region.data + (from - region.base), bytes);
}

void Device::copy(uint64_t to, uint64_t from, size_t bytes) {
  if (!bytes)
    return;
  std::lock_guard<std::mutex> lock(impl->mutex);
  Region &target = impl->regionOf(to, bytes);
  Region &source = impl->regionOf(from, bytes);
  std::memmove(target.data + (to - target.base),
               source.data + (from - source.base), bytes);
  if (target.init && source.init)
    std::memmove(target.init + (to - target.base),
                 source.init + (from - source.base), bytes);
}

void Device::fill(uint64_t to, uint8_t value, size_t bytes) {
  if (!bytes)
    return;
  std::lock_guard<std::mutex> lock(impl->mutex);
  Region &region = impl->regionOf(to, bytes);
  std::memset(region.data + (to - region.base), value, bytes);
  if (region.init)
    std::memset(region.init + (to - region.base), 1, bytes);
}

bool Device::findAllocation(uint64_t address, uint64_t &base,
                            size_t &bytes) const {
  std::lock_guard<std::mutex> lock(impl->mutex);
  Region *region = impl->memory.find(address);
  if (!region)
    return false;
  base = region->base;
  bytes = region->size;
  return true;
}

size_t Device::allocatedBytes() const {
  std::lock_guard<std::mutex> lock(impl->mutex);
  return impl->memory.allocatedBytes();
}

void Device::Impl::placeVariables(LoadedModule &loaded) {
  std::vector<std::pair<const Variable *, Region *>> placed;
  for (const Variable &variable : loaded.module.vars) {
    if (variable.space == Space::Shared)
      continue;
    Region &region =
        memory.allocate(variable.bytes, variable.align, variable.name);
    // Variables without an initialiser start as zeros.
    std::memset(region.init, 1, variable.bytes);
    region.readOnly = variable.space == Space::Const;
    loaded.symbols.address[variable.name] = region.base;
    placed.emplace_back(&variable, &region);
  }
  for (auto [variable, region] : placed)
    for (const Initialiser &init : variable->init) {
      uint64_t value = init.value;
      if (!init.symbol.empty()) {
        auto found = loaded.symbols.address.find(init.symbol);
        auto callee = loaded.module.functionIndex.find(init.symbol);
        if (found != loaded.symbols.address.end())
          value += found->second;
        else if (callee != loaded.module.functionIndex.end())
          value += functionAddressBase + 16 * uint64_t(callee->second);
        else
          throw UnsupportedError(variable->line,
                                 "unknown name '" + init.symbol + "'");
      }
      if (init.at + init.bytes > variable->bytes)
        throw UnsupportedError(variable->line, "too many initial values of '" +
                                                   variable->name + "'");
      value = init.masked(value);
      std::memcpy(region->data + init.at, &value, init.bytes);
    }
}

std::shared_ptr<LoadedModule> Device::load(const std::string &ptx) {
  auto loaded = std::make_shared<LoadedModule>();
  loaded->module = parseModule(ptx);
  std::lock_guard<std::mutex> lock(impl->mutex);
  impl->placeVariables(*loaded);
  return loaded;
}

KernelInfo Device::kernel(LoadedModule &module, const std::string &entry) {
  const Program &program = module.program(entry);
  KernelInfo info;
  info.name = entry;
  info.staticSharedBytes = program.declaredShared;
  info.localBytes = program.localBytes;
  for (const Placed &param : program.params) {
    info.paramOffsets.push_back(param.offset);
    info.paramSizes.push_back(param.bytes);
  }
  info.paramBytes = program.paramBytes;
  if (program.maxntid[0])
    info.maxThreads =
        program.maxntid[0] * program.maxntid[1] * program.maxntid[2];
  if (program.reqntid[0])
    info.maxThreads =
        program.reqntid[0] * program.reqntid[1] * program.reqntid[2];
  info.registers = program.maxnreg;
  return info;
}

bool Device::symbol(LoadedModule &module, const std::string &name,
                    uint64_t &address, size_t &bytes) {
  auto found = module.module.varIndex.find(name);
  auto place = module.symbols.address.find(name);
  if (found == module.module.varIndex.end() ||
      place == module.symbols.address.end())
    return false;
  address = place->second;
  bytes = module.module.vars[found->second].bytes;
  return true;
}

namespace {

std::string text(const Dim3 &d) {
  return std::to_string(d.x) + "x" + std::to_string(d.y) + "x" +
         std::to_string(d.z);
}

void checkLaunch(const Program &program, const LaunchConfig &config,
                 const Dim3 &cluster, size_t paramBytes) {
  auto fail = [](const std::string &what) { throw std::runtime_error(what); };
  if (!config.grid.count() || !config.block.count())
    fail("expected a grid and a block of at least 1, but got " +
         text(config.grid) + " and " + text(config.block));
  if (config.block.count() > 1024)
    fail("expected at most 1024 threads a block, but got " +
         std::to_string(config.block.count()));
  const unsigned *req = program.reqntid;
  if (req[0] && (config.block.x != req[0] || config.block.y != req[1] ||
                 config.block.z != req[2]))
    fail("kernel '" + program.name + "' requires a block of " +
         text({req[0], req[1], req[2]}) + ", but got " + text(config.block));
  const unsigned *max = program.maxntid;
  if (max[0] && config.block.count() > uint64_t(max[0]) * max[1] * max[2])
    fail("kernel '" + program.name + "' allows at most " +
         std::to_string(max[0] * max[1] * max[2]) + " threads, but got " +
         std::to_string(config.block.count()));
  const uint64_t registers = 65536; // of a multiprocessor
  uint64_t each = (program.maxnreg + 7) / 8 * 8;
  if (each * config.block.count() > registers)
    fail("kernel '" + program.name + "' needs " + std::to_string(each) + " x " +
         std::to_string(config.block.count()) +
         " registers a block, but the target has " + std::to_string(registers));
  if (config.block.x > 1024 || config.block.y > 1024 || config.block.z > 64)
    fail("expected a block of at most 1024x1024x64, but got " +
         text(config.block));
  if (config.grid.x > 0x7fffffff || config.grid.y > 65535 ||
      config.grid.z > 65535)
    fail("expected a grid of at most 2147483647x65535x65535, but got " +
         text(config.grid));
  if (cluster.count() > 16)
    fail("expected at most 16 blocks a cluster, but got " +
         std::to_string(cluster.count()));
  uint64_t limit = program.smVersion >= 90 ? 227 * 1024 : 163 * 1024;
  uint64_t shared = program.declaredShared + config.dynamicSharedBytes;
  if (shared > limit)
    fail("kernel '" + program.name + "' needs " + std::to_string(shared) +
         " bytes of shared memory, but the target has " +
         std::to_string(limit));
  if (config.grid.x % cluster.x || config.grid.y % cluster.y ||
      config.grid.z % cluster.z)
    fail("the grid " + text(config.grid) + " is no multiple of the cluster " +
         text(cluster));
  if (paramBytes < program.paramBytes)
    fail("kernel '" + program.name + "' takes " +
         std::to_string(program.paramBytes) + " bytes of parameters, but got " +
         std::to_string(paramBytes));
}

} // namespace

LaunchResult Device::launch(LoadedModule &module, const std::string &entry,
                            const LaunchConfig &config, const void *params,
                            size_t paramBytes) {
  const Program &program = module.program(entry);
  Launch launch;
  launch.program = &program;
  launch.memory = &impl->memory;
  launch.config = config;
  launch.cluster = config.cluster.x ? config.cluster : Dim3{};
  if (!config.cluster.x && program.cluster[0])
    launch.cluster = {program.cluster[0], program.cluster[1],
                      program.cluster[2]};
  checkLaunch(program, config, launch.cluster, paramBytes);
  launch.paramBytes.resize(program.paramBytes + 64);
  auto start = reinterpret_cast<uintptr_t>(launch.paramBytes.data());
  auto *block = reinterpret_cast<uint8_t *>((start + 63) / 64 * 64);
  launch.paramBytes.resize(program.paramBytes + 64);
  std::memcpy(block, params, program.paramBytes);
  for (const Placed &param : program.params) {
    Region region;
    region.base = param.offset;
    region.size = param.bytes;
    region.data = block + param.offset;
    region.name = param.name.c_str();
    launch.paramRegions.push_back(std::move(region));
  }
  for (const Placed &local : program.local) {
    Region region;
    region.base = local.offset;
    region.size = local.bytes;
    region.name = local.name.c_str();
    launch.localRegions.push_back(std::move(region));
  }
  if (config.checks.races)
    launch.races = std::make_unique<RaceDetector>(
        program, config.checks.sameValueStores, config.grid, launch.cluster);
  if (config.count)
    launch.counts = std::make_unique<LaunchCounts>(program);
  if (program.usesGridWorkspace) {
    // A size, then the barrier; the driver clears them.
    Region &workspace = impl->memory.allocate(8, 8, "grid workspace");
    std::memset(workspace.data, 0, 8);
    std::memset(workspace.init, 1, 8);
    launch.gridWorkspace = workspace.base;
  }
  LaunchResult result = launch.run();
  if (launch.gridWorkspace)
    impl->memory.free(launch.gridWorkspace);
  impl->memory.dropShadows();
  return result;
}

bool Checks::parse(const std::string &text, Checks &checks) {
  if (text == "all") {
    checks = Checks();
    return true;
  }
  checks = Checks::none();
  if (text == "none")
    return true;
  for (size_t start = 0; start <= text.size();) {
    size_t comma = std::min(text.find(',', start), text.size());
    std::string word = text.substr(start, comma - start);
    if (word == "races")
      checks.races = true;
    else if (word == "bounds")
      checks.bounds = true;
    else if (word == "align")
      checks.alignment = true;
    else if (word == "uninit")
      checks.uninitialized = true;
    else if (word == "sync")
      checks.sync = true;
    else if (word == "same-value")
      checks.races = checks.sameValueStores = true;
    else
      return false;
    start = comma + 1;
  }
  return true;
}

} // namespace fovea::sim
