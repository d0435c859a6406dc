// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Allocation in the reserved range: addresses only go up, so that one that is
// used after its allocation was freed is still recognised as wrong.
#include "Memory.h"
#include "Checks/Shadow.h"
#include <stdexcept>
#include <sys/mman.h>

namespace fovea::sim {

namespace {
constexpr uint64_t arenaBytes = 1ull << 36;
constexpr uint64_t redZone = 4096;
constexpr uint64_t baseAlign = 256;
} // namespace

DeviceMemory::DeviceMemory() {
  // A fixed hint makes addresses, and with them messages, repeat.
  void *hint = reinterpret_cast<void *>(0x10'0000'0000ull);
  void *at = mmap(hint, arenaBytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED)
    throw std::runtime_error("cannot reserve address space for device memory");
  arena = static_cast<uint8_t *>(at);
  arenaSize = arenaBytes;
  used = redZone;
}

DeviceMemory::~DeviceMemory() {
  if (arena)
    munmap(arena, arenaSize);
}

Region &DeviceMemory::allocate(uint64_t bytes, uint64_t align,
                               const std::string &name) {
  align = std::max(align, baseAlign);
  auto start = reinterpret_cast<uint64_t>(arena) + used;
  // Aligned as asked and not more: base is an odd multiple.
  uint64_t base = (start + 2 * align - 1) / (2 * align) * (2 * align) + align;
  uint64_t end = base + bytes + redZone;
  if (bytes > arenaSize || end > reinterpret_cast<uint64_t>(arena) + arenaSize)
    throw std::runtime_error("out of device memory allocating " +
                             std::to_string(bytes) + " bytes");
  used = end - reinterpret_cast<uint64_t>(arena);
  auto holder = std::make_unique<Holder>();
  holder->name = name;
  holder->init.assign(bytes, 0);
  Region &region = holder->region;
  region.base = base;
  region.size = bytes;
  region.data = reinterpret_cast<uint8_t *>(base);
  region.init = holder->init.data();
  region.align = align;
  region.name = holder->name.c_str();
  inUse += bytes;
  Region &result = region;
  regions[base] = std::move(holder);
  return result;
}

void DeviceMemory::free(uint64_t base) {
  auto found = regions.find(base);
  if (found == regions.end())
    throw std::runtime_error("freed address is not the base of an allocation");
  inUse -= found->second->region.size;
  // Whole pages go back to the host; the addresses are not used again.
  uint64_t first = (base + 4095) / 4096 * 4096;
  uint64_t last = (base + found->second->region.size) / 4096 * 4096;
  if (last > first)
    madvise(reinterpret_cast<void *>(first), last - first, MADV_DONTNEED);
  regions.erase(found);
}

void DeviceMemory::retire(uint64_t base) {
  Holder &holder = *regions.at(base);
  inUse -= holder.region.size;
  holder.region.size = 0;
  holder.name += ", freed";
  holder.region.name = holder.name.c_str();
}

Region *DeviceMemory::find(uint64_t address) {
  auto next = regions.upper_bound(address);
  if (next == regions.begin())
    return nullptr;
  Region &region = std::prev(next)->second->region;
  return address - region.base <= region.size ? &region : nullptr;
}

Region *DeviceMemory::nearest(uint64_t address) {
  auto next = regions.upper_bound(address);
  Region *best = nullptr;
  uint64_t distance = ~0ull;
  if (next != regions.end()) {
    best = &next->second->region;
    distance = next->first - address;
  }
  if (next != regions.begin()) {
    Region &before = std::prev(next)->second->region;
    if (address - (before.base + before.size) < distance)
      best = &before;
  }
  return best;
}

void DeviceMemory::dropShadows() {
  for (auto &[base, holder] : regions)
    holder->region.shadow.reset();
}

} // namespace fovea::sim
