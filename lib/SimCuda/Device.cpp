// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one device, and cuInit.

#include "Driver.h"

#include <cstdio>
#include <cstring>

using namespace fovea::simcuda;

/// CUDA 13.0, the first whose PTX is 9.0.
static constexpr int driverVersion = 13000;

SIMCUDA_API CUresult cuGetErrorString(int error, const char **text);

SIMCUDA_API CUresult cuInit(unsigned flags) {
  CUresult result = call(Needs::Nothing, [&](Driver &driver) {
    require(flags == 0, "flags of 0");
    deviceArchitecture(); // throws on a wrong FOVEA_SIM_ARCH
    driver.initialised = true;
  });
  const char *text = nullptr;
  if (result != CUDA_SUCCESS && flags == 0 &&
      cuGetErrorString(result, &text) == CUDA_SUCCESS)
    say(text);
  return result;
}

SIMCUDA_API CUresult cuDriverGetVersion(int *version) {
  return call(Needs::Nothing, [&](Driver &) {
    require(version, "a pointer");
    *version = driverVersion;
  });
}

SIMCUDA_API CUresult cuDeviceGetCount(int *count) {
  return call(Needs::Init, [&](Driver &) {
    require(count, "a pointer");
    *count = 1;
  });
}

SIMCUDA_API CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  return call(Needs::Init, [&](Driver &) {
    require(device, "a pointer");
    checkDevice(ordinal);
    *device = ordinal;
  });
}

SIMCUDA_API CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
  return call(Needs::Init, [&](Driver &) {
    checkDevice(device);
    require(name && length > 0, "room for the name");
    std::snprintf(name, static_cast<size_t>(length), "%s",
                  factsOf(deviceArchitecture()).name);
  });
}

static CUresult getUuid(CUuuid *uuid, CUdevice device) {
  return call(Needs::Init, [&](Driver &) {
    checkDevice(device);
    require(uuid, "a pointer");
    std::memcpy(uuid->bytes, "fovea-simulator", sizeof(uuid->bytes));
  });
}
SIMCUDA_API CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device) {
  return getUuid(uuid, device);
}
SIMCUDA_API CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device) {
  return getUuid(uuid, device);
}

SIMCUDA_API CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
  return call(Needs::Init, [&](Driver &) {
    checkDevice(device);
    require(bytes, "a pointer");
    *bytes = static_cast<size_t>(factsOf(deviceArchitecture()).memoryBytes);
  });
}

SIMCUDA_API CUresult cuDeviceComputeCapability(int *major, int *minor,
                                               CUdevice device) {
  return call(Needs::Init, [&](Driver &) {
    checkDevice(device);
    require(major && minor, "two pointers");
    *major = deviceArchitecture().major;
    *minor = deviceArchitecture().minor;
  });
}

SIMCUDA_API CUresult cuDeviceGetPCIBusId(char *id, int length,
                                         CUdevice device) {
  return call(Needs::Init, [&](Driver &) {
    checkDevice(device);
    require(id && length > 0, "room for the name");
    std::snprintf(id, static_cast<size_t>(length), "0000:00:00.0");
  });
}

SIMCUDA_API CUresult cuDeviceGetByPCIBusId(CUdevice *device, const char *id) {
  return call(Needs::Init, [&](Driver &) {
    require(device && id, "two pointers");
    require(std::strcmp(id, "0000:00:00.0") == 0, "the bus of device 0",
            CUDA_ERROR_INVALID_DEVICE);
    *device = 0;
  });
}

SIMCUDA_API CUresult cuDeviceCanAccessPeer(int *can, CUdevice device,
                                           CUdevice peer) {
  return call(Needs::Init, [&](Driver &) {
    checkDevice(device);
    checkDevice(peer);
    require(can, "a pointer");
    *can = 0;
  });
}

// There is nothing to profile from outside; FOVEA_SIM_REPORT counts.
SIMCUDA_API CUresult cuProfilerStart() { return CUDA_SUCCESS; }
SIMCUDA_API CUresult cuProfilerStop() { return CUDA_SUCCESS; }
