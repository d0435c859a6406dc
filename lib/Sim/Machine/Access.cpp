// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses to bytes: see the header.
#include "Access.h"
#include "Checks/Races.h"
#include <bit>
#include <cstring>

namespace fovea::sim {

namespace {

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx",
                static_cast<unsigned long long>(value));
  return text;
}

Region *findIn(std::vector<Region> &regions, uint64_t address, uint64_t bytes) {
  for (Region &region : regions)
    if (region.holds(address, bytes))
      return &region;
  return nullptr;
}

/// Says how far the access is from the nearest variable or allocation.
std::string distance(const Region *region, uint64_t address, unsigned bytes) {
  if (!region)
    return "no allocation is near";
  uint64_t end = region->base + region->size;
  if (region->holds(address, bytes))
    return "not in what is allocated of '" + std::string(region->name) + "'";
  if (address >= end)
    return std::to_string(address - end) + " bytes past the end of '" +
           region->name + "' (" + std::to_string(region->size) + " bytes)";
  if (address + bytes > end)
    return std::to_string(address + bytes - end) +
           " bytes of it past the end of '" + region->name + "' (" +
           std::to_string(region->size) + " bytes)";
  return std::to_string(region->base - address) + " bytes before '" +
         region->name + "'";
}

Region *nearestIn(std::vector<Region> &regions, uint64_t address) {
  Region *best = nullptr;
  uint64_t bestDistance = ~0ull;
  for (Region &region : regions) {
    uint64_t end = region.base + region.size;
    uint64_t d = address >= end           ? address - end
                 : address >= region.base ? 0
                                          : region.base - address;
    if (d < bestDistance) {
      bestDistance = d;
      best = &region;
    }
  }
  return best;
}

void reportBounds(Warp &warp, unsigned lane, const char *space, Region *near,
                  uint64_t address, unsigned bytes, bool write) {
  warp.launch->report("out-of-bounds", warp, static_cast<int>(lane), address,
                      near ? near->name : "",
                      std::string(write ? "write of " : "read of ") +
                          std::to_string(bytes) + " bytes of " + space +
                          " memory at " + hex(address) + ": " +
                          distance(near, address, bytes));
}

Place placeIn(Region &region, uint64_t address, Space space, Cta *owner) {
  uint64_t offset = address - region.base;
  return {region.data + offset,
          region.init ? region.init + offset : nullptr,
          &region,
          offset,
          space,
          owner};
}

bool locateShared(Warp &warp, unsigned lane, uint64_t address, unsigned bytes,
                  bool write, Place &place) {
  Cta *cta = warp.cta;
  uint64_t rank = address >> clusterShift;
  uint64_t local = address & ((1u << clusterShift) - 1);
  if (rank) {
    if (rank > cta->cluster->ctas.size()) {
      reportBounds(warp, lane, "shared", nullptr, address, bytes, write);
      return false;
    }
    cta = &cta->cluster->ctas[rank - 1];
    if (cta->liveThreads == 0) {
      warp.launch->report("race", warp, static_cast<int>(lane), local, "",
                          "access of the shared memory of a cta that may "
                          "have exited");
      return false;
    }
  }
  Region *region = nullptr;
  if (cta == warp.cta && warp.lastShared &&
      warp.lastShared->holds(local, bytes))
    region = warp.lastShared;
  else
    region = findIn(cta->sharedRegions, local, bytes);
  if (!region) {
    reportBounds(warp, lane, "shared", nearestIn(cta->sharedRegions, local),
                 local, bytes, write);
    return false;
  }
  if (cta == warp.cta)
    warp.lastShared = region;
  place = placeIn(*region, local, Space::Shared, cta);
  return true;
}

bool locateLocal(Warp &warp, unsigned lane, uint64_t address, unsigned bytes,
                 bool write, Place &place) {
  Launch &launch = *warp.launch;
  Region *region = findIn(launch.localRegions, address, bytes);
  uint64_t stackBase = warp.program->stackBase;
  bool isFreed = region && warp.program->usesStack &&
                 region->base == stackBase &&
                 !warp.stack.holds(lane, address - stackBase, bytes);
  if (!region || isFreed) {
    reportBounds(warp, lane, "local", nearestIn(launch.localRegions, address),
                 address, bytes, write);
    return false;
  }
  uint64_t at = lane * warp.program->localBytes + address;
  place = {warp.local + at, warp.localInit ? warp.localInit + at : nullptr,
           region,          address - region->base,
           Space::Local,    nullptr};
  return true;
}

bool locateParam(Warp &warp, unsigned lane, uint64_t address, unsigned bytes,
                 bool write, Place &place) {
  Launch &launch = *warp.launch;
  Region *region = findIn(launch.paramRegions, address, bytes);
  if (!region || write) {
    reportBounds(warp, lane, "parameter",
                 nearestIn(launch.paramRegions, address), address, bytes,
                 write);
    return false;
  }
  uint64_t offset = address - region->base;
  place = {region->data + offset, nullptr, region, offset,
           Space::Param,          nullptr};
  return true;
}

bool locateGlobal(Warp &warp, unsigned lane, uint64_t address, unsigned bytes,
                  bool write, Place &place) {
  Region *region = warp.lastGlobal;
  if (!region || !region->holds(address, bytes)) {
    region = warp.launch->memory->find(address);
    if (!region || !region->holds(address, bytes)) {
      reportBounds(warp, lane, "global",
                   region ? region : warp.launch->memory->nearest(address),
                   address, bytes, write);
      return false;
    }
    warp.lastGlobal = region;
  }
  if (write && region->readOnly) {
    warp.launch->report(
        "out-of-bounds", warp, static_cast<int>(lane), address, region->name,
        std::string("write to constant memory '") + region->name + "'");
    return false;
  }
  place = placeIn(*region, address, Space::Global, nullptr);
  return true;
}

} // namespace

bool locate(Warp &warp, const Inst &inst, unsigned lane, Space space,
            uint64_t address, unsigned bytes, unsigned align, bool write,
            Place &place) {
  if ((address & (align - 1)) && warp.launch->config.checks.alignment) {
    warp.launch->report("misaligned", warp, static_cast<int>(lane), address, "",
                        std::string(write ? "write of " : "read of ") +
                            std::to_string(bytes) + " bytes at " +
                            hex(address) + " needs alignment " +
                            std::to_string(align));
  }
  if (space == Space::Generic) {
    uint64_t window = address >> 48;
    if (window == 1)
      space = Space::Shared;
    else if (window == 2)
      space = Space::Local;
    else if (window == 3)
      space = Space::Param;
    if (space != Space::Generic)
      address &= 0xffffffff;
  }
  switch (space) {
  case Space::Shared:
    return locateShared(warp, lane, address, bytes, write, place);
  case Space::Local:
    return locateLocal(warp, lane, address, bytes, write, place);
  case Space::Param:
    return locateParam(warp, lane, address, bytes, write, place);
  default:
    return locateGlobal(warp, lane, address, bytes, write, place);
  }
}

bool readPlace(Warp &warp, unsigned lane, const Place &place, void *to,
               unsigned bytes, SyncScope scope) {
  if (warp.launch->races && place.region &&
      (place.space == Space::Shared || place.space == Space::Global))
    warp.launch->races->read(warp, lane, place, bytes, scope);
  std::memcpy(to, place.data, bytes);
  if (!place.init)
    return false;
  return std::memchr(place.init, 0, bytes) != nullptr;
}

void writePlace(Warp &warp, unsigned lane, const Place &place, const void *from,
                unsigned bytes, SyncScope scope) {
  if (warp.launch->races && place.region &&
      (place.space == Space::Shared || place.space == Space::Global))
    warp.launch->races->write(warp, lane, place, from, bytes, scope);
  if (std::memcmp(place.data, from, bytes)) {
    std::memcpy(place.data, from, bytes);
    ++warp.cta->cluster->changes;
  }
  if (place.init)
    std::memset(place.init, 1, bytes);
}

void reportTaint(Warp &warp, uint32_t lanes, uint64_t address,
                 const char *where) {
  if (!lanes)
    return;
  warp.launch->report(
      "uninitialized", warp, std::countr_zero(lanes), address, "",
      std::string("a value that was never written reaches ") + where);
  // Accumulators count as unwritten while their product is in flight.
  if (const Inst *product = wgmmaInFlight(warp))
    warp.launch->report(
        "race", warp, std::countr_zero(lanes), address, "",
        std::string("an accumulator of a wgmma in flight may reach ") + where,
        product->line);
}

} // namespace fovea::sim
