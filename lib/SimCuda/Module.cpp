// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules: PTX text in, functions and variables out. Machine code cannot be
// simulated and is refused with CUDA_ERROR_NO_BINARY_FOR_GPU, so that loaders
// go on to the PTX beside it.

#include "Driver.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

using namespace fovea::simcuda;

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

/// Throws unless the image starts like PTX text.
static void refuseBinaries(const char *image) {
  uint32_t magic = 0;
  for (int i = 0; i < 4; ++i) { // no further than the end of a short text
    magic |= uint32_t(static_cast<unsigned char>(image[i])) << (8 * i);
    if (image[i] == 0)
      break;
  }
  constexpr uint32_t elf = 0x464c457f, fatbin = 0xba55ed50,
                     fatbinWrapper = 0x466243b1;
  if (magic == elf)
    throw Failure(CUDA_ERROR_NO_BINARY_FOR_GPU,
                  "the image is a cubin; the simulator executes PTX text only");
  if (magic == fatbin || magic == fatbinWrapper)
    throw Failure(CUDA_ERROR_NO_BINARY_FOR_GPU,
                  "the image is a fat binary; the simulator executes PTX text "
                  "only");
  char first = image[std::strspn(image, " \t\r\n")];
  if (first != '.' && first != '/')
    throw Failure(CUDA_ERROR_INVALID_IMAGE,
                  "expected PTX text, which starts with '.' or a comment");
}

/// The word after a directive that stands at the start of a line, or nothing.
static std::string directive(const std::string &text, const std::string &name) {
  for (size_t at = text.find(name); at != std::string::npos;
       at = text.find(name, at + 1)) {
    size_t line = text.rfind('\n', at) + 1; // npos + 1 is 0
    size_t word = text.find_first_not_of(" \t", at + name.size());
    if (text.find_first_not_of(" \t", line) != at ||
        word == std::string::npos || word == at + name.size())
      continue;
    return text.substr(word, text.find_first_of(", \t\r\n", word) - word);
  }
  return "";
}

/// Reads .target and .version. Unless FOVEA_SIM_ARCH names the device, any
/// target is taken: the simulator executes them all.
static void readHeader(const std::string &text, Module &module) {
  std::string target = directive(text, ".target");
  std::string version = directive(text, ".version");
  std::optional<Architecture> found = Architecture::parse(target);
  if (!found)
    throw Failure(CUDA_ERROR_INVALID_PTX,
                  "expected a .target sm_NN, found '" + target + "'");
  Architecture device = deviceArchitecture();
  if (architectureChosen() && !device.runs(*found))
    throw Failure(CUDA_ERROR_INVALID_PTX, "the PTX is for " + target +
                                              ", but FOVEA_SIM_ARCH is " +
                                              device.name());
  module.target = *found;
  char *dot = nullptr;
  long major = std::strtol(version.c_str(), &dot, 10);
  if (major < 1 || *dot != '.')
    throw Failure(CUDA_ERROR_INVALID_PTX,
                  "expected a .version, found '" + version + "'");
  module.ptxVersion =
      static_cast<int>(major * 10 + std::strtol(dot + 1, nullptr, 10));
}

static CUmodule loadText(Driver &driver, const char *image) {
  require(image, "an image");
  refuseBinaries(image);
  std::string text = image;
  auto module = std::make_unique<Module>();
  readHeader(text, *module);
  module->context = &driver.current();
  module->code =
      as(CUDA_ERROR_INVALID_PTX, [&] { return driver.device().load(text); });
  CUmodule handle = module.get();
  driver.current().modules[handle] = std::move(module);
  return handle;
}

namespace {
/// The buffers of cuModuleLoadDataEx's options that this library writes.
struct JitLog {
  char *buffer = nullptr;
  size_t size = 0;
  void **written = nullptr, **infoWritten = nullptr;

  JitLog(unsigned count, const int *options, void **values) {
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
        buffer = static_cast<char *>(values[i]);
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) {
        size = static_cast<unsigned>(reinterpret_cast<uintptr_t>(values[i]));
        written = &values[i];
      }
      if (options[i] == CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES)
        infoWritten = &values[i];
    }
  }
  /// Writes as much of the text as fits; the size becomes the text's.
  void write(const std::string &text) const {
    size_t length = 0;
    if (buffer && size > 0) {
      length = std::min(text.size(), size - 1);
      std::memcpy(buffer, text.data(), length);
      buffer[length] = 0;
    }
    for (void **out : {written, infoWritten})
      if (out)                           // the driver passes sizes as pointers
        *out = reinterpret_cast<void *>( // NOLINT(performance-no-int-to-ptr)
            out == written ? length : 0);
  }
};
} // namespace

static CUresult load(CUmodule *module, const char *image, unsigned count = 0,
                     const int *options = nullptr, void **values = nullptr) {
  return call(Needs::Context, [&](Driver &driver) {
    require(module && (count == 0 || (options && values)),
            "a pointer for the module, and options with values");
    *module = nullptr;
    JitLog log(count, options, values);
    try {
      *module = loadText(driver, image);
      log.write("");
    } catch (const Failure &failure) {
      log.write(failure.what());
      if (failure.code == CUDA_ERROR_INVALID_PTX)
        say(std::string("module refused: ") + failure.what());
      throw;
    }
  });
}

static CUresult loadFile(CUmodule *module, const char *path) {
  std::ifstream file(path ? path : "", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file || !path)
    return remember(CUDA_ERROR_FILE_NOT_FOUND, path ? path : "");
  return load(module, text.c_str());
}

//===----------------------------------------------------------------------===//
// cuModule
//===----------------------------------------------------------------------===//

SIMCUDA_API CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  return load(module, static_cast<const char *>(image));
}
SIMCUDA_API CUresult cuModuleLoadDataEx(CUmodule *module, const void *image,
                                        unsigned count, int *options,
                                        void **values) {
  return load(module, static_cast<const char *>(image), count, options, values);
}
SIMCUDA_API CUresult cuModuleLoadFatBinary(CUmodule *module,
                                           const void *image) {
  return load(module, static_cast<const char *>(image));
}
SIMCUDA_API CUresult cuModuleLoad(CUmodule *module, const char *path) {
  return loadFile(module, path);
}

SIMCUDA_API CUresult cuModuleUnload(CUmodule module) {
  return call(Needs::Init, [&](Driver &driver) {
    driver.module(module).context->modules.erase(module);
  });
}

static CUfunction findFunction(Driver &driver, CUmodule handle,
                               const char *name) {
  Module &module = driver.module(handle);
  require(name, "a name");
  std::unique_ptr<Function> &slot = module.functions[name];
  if (!slot) {
    auto made = std::make_unique<Function>();
    made->module = &module;
    made->name = name;
    try {
      made->info = driver.device().kernel(*module.code, name);
    } catch (const std::runtime_error &error) {
      module.functions.erase(name);
      // The simulator decodes a kernel when it is first asked for.
      bool missing = std::strstr(error.what(), "no kernel is named");
      if (!missing)
        say("kernel '" + std::string(name) + "' refused: " + error.what());
      throw Failure(missing ? CUDA_ERROR_NOT_FOUND : CUDA_ERROR_INVALID_PTX,
                    error.what());
    }
    slot = std::move(made);
  }
  return slot.get();
}

SIMCUDA_API CUresult cuModuleGetFunction(CUfunction *function, CUmodule module,
                                         const char *name) {
  return call(Needs::Init, [&](Driver &driver) {
    require(function, "a pointer");
    *function = findFunction(driver, module, name);
  });
}

SIMCUDA_API CUresult cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes,
                                          CUmodule module, const char *name) {
  return call(Needs::Init, [&](Driver &driver) {
    require(name, "a name");
    uint64_t at = 0;
    size_t size = 0;
    if (!driver.device().symbol(*driver.module(module).code, name, at, size))
      throw Failure(CUDA_ERROR_NOT_FOUND, std::string("the module has no "
                                                      "variable '") +
                                              name + "'");
    if (address)
      *address = at;
    if (bytes)
      *bytes = size;
  });
}

SIMCUDA_API CUresult cuModuleGetLoadingMode(int *mode) {
  return call(Needs::Init, [&](Driver &) {
    require(mode, "a pointer");
    *mode = 1; // eager
  });
}

//===----------------------------------------------------------------------===//
// cuLibrary: modules of no context in cuda.h, modules of the current one here
//===----------------------------------------------------------------------===//

SIMCUDA_API CUresult cuLibraryLoadData(CUlibrary *library, const void *code,
                                       int *options, void **values,
                                       unsigned count, int *, void **,
                                       unsigned) {
  return load(library, static_cast<const char *>(code), count, options, values);
}
SIMCUDA_API CUresult cuLibraryLoadFromFile(CUlibrary *library, const char *path,
                                           int *, void **, unsigned, int *,
                                           void **, unsigned) {
  return loadFile(library, path);
}
SIMCUDA_API CUresult cuLibraryUnload(CUlibrary library) {
  return cuModuleUnload(library);
}
SIMCUDA_API CUresult cuLibraryGetModule(CUmodule *module, CUlibrary library) {
  return call(Needs::Init, [&](Driver &driver) {
    require(module, "a pointer");
    *module = &driver.module(library);
  });
}
SIMCUDA_API CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary library,
                                        const char *name) {
  return cuModuleGetFunction(kernel, library, name);
}
SIMCUDA_API CUresult cuLibraryGetGlobal(CUdeviceptr *address, size_t *bytes,
                                        CUlibrary library, const char *name) {
  return cuModuleGetGlobal_v2(address, bytes, library, name);
}
SIMCUDA_API CUresult cuKernelGetFunction(CUfunction *function,
                                         CUkernel kernel) {
  return call(Needs::Init, [&](Driver &driver) {
    require(function, "a pointer");
    *function = &driver.function(kernel);
  });
}
