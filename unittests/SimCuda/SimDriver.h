// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulated driver in a test: functions by name, and a fixture with a
// context. Codes are written as cuda.h's numbers.

#ifndef FOVEA_UNITTESTS_SIMDRIVER_H
#define FOVEA_UNITTESTS_SIMDRIVER_H

#include <gtest/gtest.h>

#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <vector>

namespace simcuda_test {

inline void *symbol(const char *name) {
  static void *library = dlopen(SIM_CUDA_PATH, RTLD_NOW | RTLD_LOCAL);
  void *found = library ? dlsym(library, name) : nullptr;
  EXPECT_NE(found, nullptr) << name << ": " << dlerror();
  return found;
}

/// Calls a function of the driver; -1 if it is missing.
template <typename... Args> int cu(const char *name, Args... args) {
  void *function = symbol(name);
  return function ? reinterpret_cast<int (*)(Args...)>(function)(args...) : -1;
}

inline std::string errorText(int code) {
  const char *text = nullptr;
  cu("cuGetErrorString", code, &text);
  return text ? text : "";
}

/// Sets an environment variable for as long as this lives.
class Variable {
public:
  Variable(const char *name, const std::string &value) : name(name) {
    setenv(name, value.c_str(), 1);
  }
  Variable(const Variable &) = delete;
  Variable &operator=(const Variable &) = delete;
  ~Variable() { unsetenv(name); }

private:
  const char *name;
};

class Simulated : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(cu("cuInit", 0u), 0);
    ASSERT_EQ(cu("cuCtxCreate_v2", &context, 0u, 0), 0);
  }
  void TearDown() override { EXPECT_EQ(cu("cuCtxDestroy_v2", context), 0); }

  void *load(const std::string &ptx) {
    void *module = nullptr;
    int result = cu("cuModuleLoadData", &module, ptx.c_str());
    EXPECT_EQ(result, 0) << errorText(result);
    return module;
  }
  void *function(const std::string &ptx, const char *name) {
    void *found = nullptr;
    int result = cu("cuModuleGetFunction", &found, load(ptx), name);
    EXPECT_EQ(result, 0) << errorText(result);
    return found;
  }
  uint64_t allocate(size_t bytes) {
    uint64_t address = 0;
    EXPECT_EQ(cu("cuMemAlloc_v2", &address, bytes), 0);
    return address;
  }
  std::vector<uint32_t> read(uint64_t from, size_t words) {
    std::vector<uint32_t> result(words);
    EXPECT_EQ(cu("cuMemcpyDtoH_v2", result.data(), from, words * 4), 0);
    return result;
  }
  static int launch(void *kernel, unsigned grid, unsigned block,
                    std::vector<void *> parameters, unsigned shared = 0) {
    return cu("cuLaunchKernel", kernel, grid, 1u, 1u, block, 1u, 1u, shared,
              static_cast<void *>(nullptr), parameters.data(),
              static_cast<void **>(nullptr));
  }

  void *context = nullptr;
};

constexpr const char *header =
    ".version 7.0\n.target sm_80\n.address_size 64\n";

} // namespace simcuda_test

#endif // FOVEA_UNITTESTS_SIMDRIVER_H
