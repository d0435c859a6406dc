// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A driver that is no driver: libcuda.so.1 for the tests of the cuda device.
// "Device" memory is memory of the process, poisoned; a module is good if its
// image begins with "good"; every kernel is tiny_attention. What the tests ask
// about is exported under fake_ names.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

// Device addresses are integers here, as in the driver API.
// NOLINTBEGIN(performance-no-int-to-ptr)
extern "C" {

void tiny_attention(void *const *params, const int32_t *block, void *scratch);

int fake_live_allocations = 0;
int fake_launched_threads = 0;
int fake_shared_attribute = 0;
const char *fake_launched_entry = "";

int cuInit(unsigned) { return 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int) { return *device = 0, 0; }
int cuDeviceGetName(char *name, int length, int) {
  std::strncpy(name, "Fake", length);
  return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
  *value = attribute == 75 ? 8 : attribute == 97 ? 163 << 10 : 0;
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int) {
  static int it;
  return *context = &it, 0;
}
int cuCtxPushCurrent_v2(void *context) { return context ? 0 : 201; }
int cuCtxSetCurrent(void *context) { return context ? 0 : 201; }
int cuCtxPopCurrent_v2(void **context) { return *context = nullptr, 0; }

int cuModuleLoadData(void **module, const void *image) {
  bool good = std::strncmp(static_cast<const char *>(image), "good", 4) == 0;
  *module = good ? std::malloc(1) : nullptr;
  return good ? 0 : 218; // CUDA_ERROR_INVALID_PTX
}
int cuModuleUnload(void *module) { return std::free(module), 0; }
int cuModuleGetFunction(void **function, void *, const char *name) {
  static std::set<std::string> names; // a function is its name
  if (std::strncmp(name, "tiny_attention", 14) != 0)
    return 500; // CUDA_ERROR_NOT_FOUND
  *function = const_cast<char *>(names.insert(name).first->c_str());
  return 0;
}
int cuFuncSetAttribute(void *, int attribute, int value) {
  if (attribute == 8)
    fake_shared_attribute = value;
  return 0;
}

int cuMemAlloc_v2(uint64_t *pointer, size_t bytes) {
  if (bytes == 0)
    return 1; // CUDA_ERROR_INVALID_VALUE, as the real one
  void *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(memory, 0xcd, bytes);
  ++fake_live_allocations;
  return *pointer = reinterpret_cast<uint64_t>(memory), 0;
}
int cuMemFree_v2(uint64_t pointer) {
  --fake_live_allocations;
  return std::free(reinterpret_cast<void *>(pointer)), 0;
}
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  return std::memcpy(reinterpret_cast<void *>(to), from, bytes), 0;
}
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
  return std::memcpy(to, reinterpret_cast<void *>(from), bytes), 0;
}

int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned, unsigned,
                   unsigned, void *, void **parameters, void **) {
  fake_launched_entry = static_cast<const char *>(function);
  fake_launched_threads = static_cast<int>(blockX);
  alignas(64) char scratch[64];
  for (unsigned z = 0; z < gridZ; ++z)
    for (unsigned y = 0; y < gridY; ++y)
      for (unsigned x = 0; x < gridX; ++x) {
        int32_t block[3] = {int32_t(x), int32_t(y), int32_t(z)};
        tiny_attention(parameters, block, scratch);
      }
  return 0;
}

int cuEventCreate(void **event, unsigned) { return *event = std::malloc(1), 0; }
int cuEventRecord(void *, void *) { return 0; }
int cuEventSynchronize(void *) { return 0; }
int cuEventElapsedTime(float *milliseconds, void *, void *) {
  return *milliseconds = 1500, 0;
}
int cuEventDestroy_v2(void *event) { return std::free(event), 0; }
int cuGetErrorName(int result, const char **text) {
  return *text = result == 218 ? "CUDA_ERROR_INVALID_PTX" : "OTHER", 0;
}
int cuGetErrorString(int, const char **text) { return *text = "a reason", 0; }

} // extern "C"
// NOLINTEND(performance-no-int-to-ptr)
