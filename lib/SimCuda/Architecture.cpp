// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A100 or H100: the numbers that a program may ask for, and
// cuDeviceGetAttribute over them.

#include "Architecture.h"
#include "Driver.h"

#include <cstdlib>

using namespace fovea::simcuda;

bool Architecture::runs(const Architecture &target) const {
  return target.exact ? number() == target.number()
                      : number() >= target.number();
}

std::string Architecture::name() const {
  return "sm_" + std::to_string(number()) + (exact ? "a" : "");
}

std::optional<Architecture> Architecture::parse(std::string_view text) {
  if (text.substr(0, 3) != "sm_")
    return std::nullopt;
  text.remove_prefix(3);
  Architecture result;
  int number = 0;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9' &&
         digits < 3;
       ++digits)
    number = number * 10 + (text[digits] - '0');
  std::string_view suffix = text.substr(digits);
  if (digits < 2 || !(suffix.empty() || suffix == "a" || suffix == "f"))
    return std::nullopt;
  result.major = number / 10;
  result.minor = number % 10;
  result.exact = suffix == "a";
  return result;
}

const DeviceFacts &fovea::simcuda::factsOf(const Architecture &architecture) {
  static const DeviceFacts a100 = {"Fovea PTX simulator (as NVIDIA A100 40 GB)",
                                   108,
                                   163 << 10,
                                   164 << 10,
                                   1410000,
                                   1215000,
                                   5120,
                                   40 << 20,
                                   int64_t{40} << 30,
                                   0};
  static const DeviceFacts h100 = {
      "Fovea PTX simulator (as NVIDIA H100 80 GB)",
      132,
      227 << 10,
      228 << 10,
      1980000,
      2619000,
      5120,
      50 << 20,
      int64_t{60} << 30, // what the simulator can reserve, not 80
      1};
  return architecture.major >= 9 ? h100 : a100;
}

bool fovea::simcuda::architectureChosen() {
  const char *text = std::getenv("FOVEA_SIM_ARCH");
  return text && *text;
}

Architecture fovea::simcuda::deviceArchitecture() {
  if (!architectureChosen())
    return Architecture();
  std::string text = std::getenv("FOVEA_SIM_ARCH");
  std::optional<Architecture> found = Architecture::parse(text);
  if (!found || (found->number() != 80 && found->number() != 90))
    throw Failure(CUDA_ERROR_INVALID_VALUE,
                  "expected FOVEA_SIM_ARCH to be sm_80, sm_90 or sm_90a, found "
                  "'" +
                      text + "'");
  found->exact = false; // a device, not a target
  return *found;
}

/// Attributes that are the same number on both devices; 0 for what there is
/// not (textures, managed memory across devices, …). The numbers are
/// CUdevice_attribute's.
static int commonAttribute(int attribute) {
  switch (attribute) {
  case 1:
    return 1024; // MAX_THREADS_PER_BLOCK
  case 2:
  case 3:
    return 1024; // MAX_BLOCK_DIM_X, _Y
  case 4:
    return 64; // MAX_BLOCK_DIM_Z
  case 5:
    return 0x7fffffff; // MAX_GRID_DIM_X
  case 6:
  case 7:
    return 65535; // MAX_GRID_DIM_Y, _Z
  case 8:
    return 48 << 10; // MAX_SHARED_MEMORY_PER_BLOCK
  case 9:
    return 64 << 10; // TOTAL_CONSTANT_MEMORY
  case 10:
    return 32; // WARP_SIZE
  case 11:
    return 0x7fffffff; // MAX_PITCH
  case 12:
  case 82:
    return 65536; // registers per block, multiprocessor
  case 14:
    return 512; // TEXTURE_ALIGNMENT
  case 15:
    return 1; // GPU_OVERLAP
  case 19:
    return 1; // CAN_MAP_HOST_MEMORY
  case 31:
    return 1; // CONCURRENT_KERNELS
  case 39:
    return 2048; // MAX_THREADS_PER_MULTIPROCESSOR
  case 40:
    return 1; // ASYNC_ENGINE_COUNT
  case 41:
    return 1; // UNIFIED_ADDRESSING
  case 78:
    return 1; // STREAM_PRIORITIES_SUPPORTED
  case 79:
  case 80:
    return 1; // L1 caches
  case 83:
    return 1; // MANAGED_MEMORY
  case 87:
    return 2; // SINGLE_TO_DOUBLE_PRECISION_PERF_RATIO
  case 90:
    return 1; // COMPUTE_PREEMPTION_SUPPORTED
  case 95:
    return 1; // COOPERATIVE_LAUNCH
  case 99:
    return 1; // HOST_REGISTER_SUPPORTED
  case 106:
    return 32; // MAX_BLOCKS_PER_MULTIPROCESSOR
  case 111:
    return 1 << 10; // RESERVED_SHARED_MEMORY_PER_BLOCK
  default:
    return 0;
  }
}

static int attributeOf(int attribute) {
  Architecture device = deviceArchitecture();
  const DeviceFacts &facts = factsOf(device);
  switch (attribute) {
  case 13:
    return facts.clockKHz;
  case 16:
    return facts.multiprocessors;
  case 36:
    return facts.memoryClockKHz;
  case 37:
    return facts.memoryBusBits;
  case 38:
    return facts.l2Bytes;
  case 75:
    return device.major;
  case 76:
    return device.minor;
  case 81:
    return facts.sharedPerMultiprocessor;
  case 97:
    return facts.maxSharedPerBlock;
  case 120:
    return facts.tensorMaps; // CLUSTER_LAUNCH
  case 127:
    return facts.tensorMaps; // TENSOR_MAP_ACCESS_SUPPORTED
  default:
    return commonAttribute(attribute);
  }
}

SIMCUDA_API CUresult cuDeviceGetAttribute(int *value, int attribute,
                                          CUdevice device) {
  return call(Needs::Init, [&](Driver &) {
    constexpr int last = 147; // of cuda.h 13.0
    checkDevice(device);
    require(value && attribute >= 1 && attribute <= last,
            "a pointer and an attribute from 1 to 147");
    *value = attributeOf(attribute);
  });
}
