// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Codes to words. The description of the calling thread's last failure goes on
// with what the simulator knows of it: the finding, the line of the PTX.

#include "Driver.h"

#include <cstring>
#include <set>

using namespace fovea::simcuda;

namespace {
struct Entry {
  int code;
  const char *name, *text;
};
} // namespace

static constexpr Entry entries[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {4, "CUDA_ERROR_DEINITIALIZED", "driver shutting down"},
    {34, "CUDA_ERROR_STUB_LIBRARY", "the library is a stub"},
    {100, "CUDA_ERROR_NO_DEVICE", "there is no device"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {200, "CUDA_ERROR_INVALID_IMAGE", "the kernel image is invalid"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU",
     "no kernel image that this device can run"},
    {215, "CUDA_ERROR_UNSUPPORTED_LIMIT", "limit is not supported"},
    {217, "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED", "there is no peer access"},
    {218, "CUDA_ERROR_INVALID_PTX", "the PTX could not be compiled"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the PTX version is too new"},
    {300, "CUDA_ERROR_INVALID_SOURCE", "the kernel source is invalid"},
    {301, "CUDA_ERROR_FILE_NOT_FOUND", "file not found"},
    {400, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {600, "CUDA_ERROR_NOT_READY", "the work is not finished"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
     "too many resources requested for launch"},
    {702, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch does not end"},
    {716, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "the launch failed"},
    {720, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE",
     "too many blocks in a cooperative launch"},
    {800, "CUDA_ERROR_NOT_PERMITTED", "operation not permitted"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {912, "CUDA_ERROR_INVALID_CLUSTER_SIZE", "invalid cluster size"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

static const Entry *find(int code) {
  for (const Entry &entry : entries)
    if (entry.code == code)
      return &entry;
  return nullptr;
}

namespace {
struct LastFailure {
  int code = 0;
  std::string text;
};
} // namespace

static LastFailure &lastFailure() {
  thread_local LastFailure last;
  return last;
}

CUresult fovea::simcuda::remember(CUresult code, const char *text) noexcept {
  try {
    lastFailure() = {code, text};
  } catch (const std::bad_alloc &) {
    lastFailure().code = 0;
  }
  return code;
}

/// A copy that lives as long as the process: callers keep the pointer.
static const char *keep(const std::string &text) {
  static std::mutex mutex;
  static std::set<std::string> &texts = *new std::set<std::string>();
  std::lock_guard<std::mutex> lock(mutex);
  return texts.insert(text).first->c_str();
}

SIMCUDA_API CUresult cuGetErrorName(int error, const char **text) {
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  const Entry *entry = find(error);
  *text = entry ? entry->name : nullptr;
  return entry ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SIMCUDA_API CUresult cuGetErrorString(int error, const char **text) {
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  const Entry *entry = find(error);
  *text = entry ? entry->text : nullptr;
  if (!entry)
    return CUDA_ERROR_INVALID_VALUE;
  const LastFailure &last = lastFailure();
  if (error != 0 && last.code == error && !last.text.empty())
    *text = keep(std::string(entry->text) + ": " + last.text);
  return CUDA_SUCCESS;
}
