// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies and fills. Each is finished when the call returns, on every stream.

#include "Driver.h"

#include <cstring>

using namespace fovea::simcuda;

namespace {
/// One side of a copy.
struct Place {
  void *host = nullptr; // null: on the device
  CUdeviceptr device = 0;
};
} // namespace

static void copy(Driver &driver, Place to, Place from, size_t bytes) {
  if (bytes == 0)
    return;
  as(CUDA_ERROR_INVALID_VALUE, [&] {
    if (to.host && from.host)
      std::memcpy(to.host, from.host, bytes);
    else if (to.host)
      driver.device().copyOut(to.host, from.device, bytes);
    else if (from.host)
      driver.device().copyIn(to.device, from.host, bytes);
    else
      driver.device().copy(to.device, from.device, bytes);
  });
}

/// Which side an address is on, for copies between unified addresses.
static Place unified(Driver &driver, CUdeviceptr address) {
  uint64_t start = 0;
  size_t size = 0;
  if (driver.device().findAllocation(address, start, size))
    return {nullptr, address};
  return {toHost(address), 0};
}

static CUresult copyOn(CUstream stream, Place to, Place from, size_t bytes) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    require(bytes == 0 ||
                ((to.host || to.device) && (from.host || from.device)),
            "two addresses");
    copy(driver, to, from, bytes);
  });
}

static Place onHost(const void *pointer) {
  return {const_cast<void *>(pointer), 0};
}
static Place onDevice(CUdeviceptr address) { return {nullptr, address}; }

SIMCUDA_API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from,
                                     size_t bytes) {
  return copyOn(nullptr, onDevice(to), onHost(from), bytes);
}
SIMCUDA_API CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  return copyOn(nullptr, onHost(to), onDevice(from), bytes);
}
SIMCUDA_API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from,
                                     size_t bytes) {
  return copyOn(nullptr, onDevice(to), onDevice(from), bytes);
}
SIMCUDA_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from,
                                          size_t bytes, CUstream stream) {
  return copyOn(stream, onDevice(to), onHost(from), bytes);
}
SIMCUDA_API CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from,
                                          size_t bytes, CUstream stream) {
  return copyOn(stream, onHost(to), onDevice(from), bytes);
}
SIMCUDA_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from,
                                          size_t bytes, CUstream stream) {
  return copyOn(stream, onDevice(to), onDevice(from), bytes);
}

SIMCUDA_API CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from,
                                   size_t bytes, CUstream stream) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    copy(driver, unified(driver, to), unified(driver, from), bytes);
  });
}
SIMCUDA_API CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return cuMemcpyAsync(to, from, bytes, nullptr);
}

//===----------------------------------------------------------------------===//
// Two dimensions
//===----------------------------------------------------------------------===//

static Place rowOf(Driver &driver, CUmemorytype type, const void *host,
                   CUdeviceptr device, size_t offset) {
  switch (type) {
  case CU_MEMORYTYPE_HOST:
    return onHost(static_cast<const char *>(host) + offset);
  case CU_MEMORYTYPE_DEVICE:
    return onDevice(device + offset);
  case CU_MEMORYTYPE_UNIFIED:
    return unified(driver, device + offset);
  case CU_MEMORYTYPE_ARRAY:
    break;
  }
  throw Failure(CUDA_ERROR_NOT_SUPPORTED,
                "expected host or device memory; there are no arrays");
}

static CUresult copy2D(const CUDA_MEMCPY2D *c, CUstream stream) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    require(c, "a description of the copy");
    size_t fromPitch = c->srcPitch ? c->srcPitch : c->WidthInBytes;
    size_t toPitch = c->dstPitch ? c->dstPitch : c->WidthInBytes;
    require(fromPitch >= c->WidthInBytes && toPitch >= c->WidthInBytes,
            "pitches of at least the width");
    for (size_t row = 0; row < c->Height; ++row) {
      Place from = rowOf(driver, c->srcMemoryType, c->srcHost, c->srcDevice,
                         (c->srcY + row) * fromPitch + c->srcXInBytes);
      Place to = rowOf(driver, c->dstMemoryType, c->dstHost, c->dstDevice,
                       (c->dstY + row) * toPitch + c->dstXInBytes);
      copy(driver, to, from, c->WidthInBytes);
    }
  });
}
SIMCUDA_API CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *description) {
  return copy2D(description, nullptr);
}
SIMCUDA_API CUresult cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D *description) {
  return copy2D(description, nullptr);
}
SIMCUDA_API CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *description,
                                        CUstream stream) {
  return copy2D(description, stream);
}

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

/// Fills `height` rows of `width` elements.
template <typename T>
static CUresult fill(CUdeviceptr to, size_t pitch, T value, size_t width,
                     size_t height, CUstream stream) {
  return call(Needs::Context, [&](Driver &driver) {
    driver.stream(stream);
    require(to % sizeof(T) == 0, "an address aligned to the element");
    require(height <= 1 || pitch >= width * sizeof(T),
            "a pitch of at least the width");
    std::vector<T> row(width, value);
    as(CUDA_ERROR_INVALID_VALUE, [&] {
      for (size_t y = 0; y < height; ++y)
        driver.device().copyIn(to + y * pitch, row.data(), width * sizeof(T));
    });
  });
}

SIMCUDA_API CUresult cuMemsetD8_v2(CUdeviceptr to, uint8_t value, size_t n) {
  return fill(to, 0, value, n, 1, nullptr);
}
SIMCUDA_API CUresult cuMemsetD16_v2(CUdeviceptr to, uint16_t value, size_t n) {
  return fill(to, 0, value, n, 1, nullptr);
}
SIMCUDA_API CUresult cuMemsetD32_v2(CUdeviceptr to, uint32_t value, size_t n) {
  return fill(to, 0, value, n, 1, nullptr);
}
SIMCUDA_API CUresult cuMemsetD8Async(CUdeviceptr to, uint8_t value, size_t n,
                                     CUstream stream) {
  return fill(to, 0, value, n, 1, stream);
}
SIMCUDA_API CUresult cuMemsetD16Async(CUdeviceptr to, uint16_t value, size_t n,
                                      CUstream stream) {
  return fill(to, 0, value, n, 1, stream);
}
SIMCUDA_API CUresult cuMemsetD32Async(CUdeviceptr to, uint32_t value, size_t n,
                                      CUstream stream) {
  return fill(to, 0, value, n, 1, stream);
}
SIMCUDA_API CUresult cuMemsetD2D8_v2(CUdeviceptr to, size_t pitch,
                                     uint8_t value, size_t width,
                                     size_t height) {
  return fill(to, pitch, value, width, height, nullptr);
}
SIMCUDA_API CUresult cuMemsetD2D16_v2(CUdeviceptr to, size_t pitch,
                                      uint16_t value, size_t width,
                                      size_t height) {
  return fill(to, pitch, value, width, height, nullptr);
}
SIMCUDA_API CUresult cuMemsetD2D32_v2(CUdeviceptr to, size_t pitch,
                                      uint32_t value, size_t width,
                                      size_t height) {
  return fill(to, pitch, value, width, height, nullptr);
}
