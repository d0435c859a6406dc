// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The PTX simulator as a library: a device with memory, modules of PTX text,
// launches. It executes the kernel, and reports what the kernel does wrong.
// docs/simulator.md has the memory model.
#ifndef FOVEA_SIM_SIM_H
#define FOVEA_SIM_SIM_H

#include "fovea/Sim/Counts.h"
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fovea::sim {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

/// Which checks run. A kernel that accesses memory out of bounds, or cannot
/// go on, is reported whatever is chosen.
struct Checks {
  bool races = true;
  bool bounds = true;
  bool alignment = true;
  bool uninitialized = true;
  bool sync = true;
  /// Unordered stores of equal values to one address are races, too.
  bool sameValueStores = false;

  static Checks none() { return {false, false, false, false, false, false}; }
  /// "all", "none", or a list of races, bounds, align, uninit, sync,
  /// same-value, separated by commas. False for an unknown word.
  static bool parse(const std::string &text, Checks &checks);
};

struct Finding {
  std::string kind; // race, uninitialized, out-of-bounds, misaligned, deadlock
  std::string kernel;
  uint32_t line = 0;
  uint32_t otherLine = 0; // of the other access of a race, else 0
  Dim3 cta{0, 0, 0};
  int warp = -1;
  int lane = -1;
  uint64_t address = 0;
  std::string allocation;
  std::string message;
  uint64_t occurrences = 1;
};

struct LaunchConfig {
  Dim3 grid, block;
  /// 0 in x: as the kernel declares, or no cluster.
  Dim3 cluster{0, 0, 0};
  uint32_t dynamicSharedBytes = 0;
  Checks checks;
  /// Orders warps, asynchronous completions and rounding of approximations.
  uint64_t seed = 0;
  /// Tensor-core sums as the hardware forms them (aligned and truncated)
  /// rather than plain float sums.
  bool exactTensorSums = false;
  /// Perturbs the last bit of ex2.approx and its like.
  bool perturbApprox = false;
  bool count = false;
  /// Where the kernel's printf goes.
  std::FILE *output = stdout;
  /// Worker threads; 0 takes all when no check spans CTAs.
  unsigned threads = 0;
  /// A launch of more warp instructions counts as one that never ends; 0: any
  /// number is well.
  uint64_t limit = 0;
};

struct LaunchResult {
  std::vector<Finding> findings;
  uint64_t warpInstructions = 0;
  uint64_t ctas = 0;
  /// In the order of the code; with the rest below empty if not counted.
  std::vector<InstCount> counts;
  std::vector<LoopCount> loops;
  std::map<std::string, AllocationCount> allocations;
  /// By unit, the most that one CTA asks for.
  UnitSums busiestCta{};
  /// False if the launch stopped early (deadlock, trap).
  bool completed = true;
};

/// What a kernel declares.
struct KernelInfo {
  std::string name;
  uint64_t staticSharedBytes = 0;
  uint64_t localBytes = 0;
  std::vector<uint64_t> paramOffsets, paramSizes;
  uint64_t paramBytes = 0;
  uint32_t maxThreads = 1024;
  uint32_t registers = 0;
};

class LoadedModule;

/// Elements of a tensor map, numbered as tensormap.replace numbers them (ISA
/// text, section 9.7.9.28).
enum class TensorElement : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F32Ftz,
  F64,
  BF16,
  TF32,
  TF32Ftz,
};
unsigned bytesOf(TensorElement element);

/// A 128-byte tensor map in the simulator's own encoding.
struct TensorMapDesc {
  uint64_t address = 0;
  uint32_t rank = 0;
  TensorElement element = TensorElement::U8;
  uint64_t dims[5] = {};
  uint64_t strides[5] = {}; // bytes, of dimension 1, 2, ... at index 1, 2, ...
  uint32_t box[5] = {};
  uint32_t elementStrides[5] = {1, 1, 1, 1, 1};
  uint32_t swizzle = 0;    // 0 none, 1 32B, 2 64B, 3 128B
  uint32_t interleave = 0; // 0 none, 1 16B, 2 32B
  bool oobNan = false;
};

/// A simulated device. All functions throw std::runtime_error with a message
/// that starts in lower case; unsupported PTX names its line.
class Device {
public:
  Device();
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  /// Uninitialised memory, aligned to 256 bytes and no more.
  uint64_t allocate(size_t bytes, const std::string &name = "");
  void free(uint64_t address);
  /// Copies mark memory as initialised. They refuse a range outside one
  /// allocation.
  void copyIn(uint64_t to, const void *from, size_t bytes);
  void copyOut(void *to, uint64_t from, size_t bytes);
  void copy(uint64_t to, uint64_t from, size_t bytes);
  void fill(uint64_t to, uint8_t value, size_t bytes);
  /// Base and size of the allocation that holds an address; false if none.
  bool findAllocation(uint64_t address, uint64_t &base, size_t &bytes) const;
  /// Bytes allocated now.
  size_t allocatedBytes() const;

  std::shared_ptr<LoadedModule> load(const std::string &ptx);
  KernelInfo kernel(LoadedModule &module, const std::string &entry);
  /// Address and size of a module-scope variable; false if there is none.
  bool symbol(LoadedModule &module, const std::string &name, uint64_t &address,
              size_t &bytes);

  /// `params` holds the parameters at the offsets that KernelInfo gives.
  LaunchResult launch(LoadedModule &module, const std::string &entry,
                      const LaunchConfig &config, const void *params,
                      size_t paramBytes);

  struct Impl;

private:
  std::unique_ptr<Impl> impl;
};

/// Writes the map in the form that launches read. Throws on a map that the
/// hardware would refuse (alignment of address and strides, box sizes).
void encodeTensorMap(const TensorMapDesc &desc, void *out128);

} // namespace fovea::sim

#endif // FOVEA_SIM_SIM_H
