// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a PTX address leads.
//
// Global memory is one reserved range of the host's address space: a device
// address is the host address, and every allocation has a page of red zone at
// least. Shared, local and parameter memory have windows of generic addresses
// below; `cvta` adds a window's base, and addresses inside a space start at 0.
#ifndef FOVEA_LIB_SIM_MEMORY_H
#define FOVEA_LIB_SIM_MEMORY_H

#include "Text/Types.h"
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace fovea::sim {

struct ShadowMemory;

// Window bases; their low 32 bits are 0, so that the truncation of a generic
// address to 32 bits is the address in its space.
constexpr uint64_t sharedWindow = 0x0001'0000'0000'0000;
constexpr uint64_t localWindow = 0x0002'0000'0000'0000;
constexpr uint64_t paramWindow = 0x0003'0000'0000'0000;
constexpr uint64_t windowSize = 0x0001'0000'0000;
/// Shared addresses of a cluster: the CTA's rank above this bit.
constexpr unsigned clusterShift = 24;

/// A range that one variable or allocation owns.
struct Region {
  uint64_t base = 0, size = 0;
  uint8_t *data = nullptr;
  /// A byte each, 1 once written; null: all written.
  uint8_t *init = nullptr;
  uint64_t align = 1;
  bool readOnly = false;
  const char *name = "";
  std::unique_ptr<ShadowMemory> shadow; // of the race detector

  Region();
  ~Region();
  Region(Region &&) noexcept;
  Region &operator=(Region &&) noexcept;

  bool holds(uint64_t address, uint64_t bytes) const {
    return address >= base && address - base <= size &&
           bytes <= size - (address - base);
  }
};

/// Global and constant memory of a device.
class DeviceMemory {
public:
  DeviceMemory();
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory &) = delete;
  DeviceMemory &operator=(const DeviceMemory &) = delete;

  Region &allocate(uint64_t bytes, uint64_t align, const std::string &name);
  void free(uint64_t base);
  /// Frees it, but keeps what warps may point to.
  void retire(uint64_t base);
  /// The allocation with base <= address, if the address lies in it (its end
  /// included), else null.
  Region *find(uint64_t address);
  /// The allocation whose end or begin is nearest to an address, for messages.
  Region *nearest(uint64_t address);
  void dropShadows();
  size_t allocatedBytes() const { return inUse; }

private:
  struct Holder {
    Region region;
    std::string name;
    std::vector<uint8_t> init;
    uint64_t reserved = 0; // with red zones
  };
  std::map<uint64_t, std::unique_ptr<Holder>> regions;
  uint8_t *arena = nullptr;
  uint64_t arenaSize = 0, used = 0;
  size_t inUse = 0;
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_MEMORY_H
