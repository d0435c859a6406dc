// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules and functions: what is loaded, what is refused and with which words.

#include "SimDriver.h"

#include <gmock/gmock.h>

using namespace simcuda_test;
using testing::HasSubstr;

namespace {

/// A variable, a kernel, and one that cannot be decoded.
std::string twoKernels() {
  return std::string(header) + R"(
.visible .global .align 4 .u32 counter[3] = {5, 6, 7};
.visible .entry first(.param .u64 a, .param .u32 b, .param .u64 c)
  .maxntid 128, 1, 1
{
  .shared .align 16 .b8 tile[512];
  ret;
}
.visible .entry wrong()
{
  frobnicate.b32 0;
  ret;
})";
}

TEST_F(Simulated, RefusesMachineCode) {
  void *module = nullptr;
  const char elf[64] = "\177ELF\2\1\1";
  const unsigned char fatbin[64] = {0x50, 0xed, 0x55, 0xba, 1};
  EXPECT_EQ(cu("cuModuleLoadData", &module, elf), 209);
  EXPECT_THAT(errorText(209), HasSubstr("the image is a cubin"));
  EXPECT_EQ(cu("cuModuleLoadData", &module, fatbin), 209);
  EXPECT_THAT(errorText(209), HasSubstr("the image is a fat binary"));
  EXPECT_EQ(cu("cuModuleLoadData", &module, "hello"), 200);
  EXPECT_EQ(cu("cuModuleLoad", &module, "/nonexistent.ptx"), 301);
  EXPECT_EQ(module, nullptr);
}

TEST_F(Simulated, ExplainsBadPtxInTheJitLog) {
  void *module = nullptr;
  char log[200] = "untouched";
  int options[] = {5, 6}; // error log, its size
  void *values[] = {
      log, reinterpret_cast<void *>( // NOLINT(performance-no-int-to-ptr)
               sizeof(log))};
  std::string bad = std::string(header) + ".visible .entry k( { ret; }";
  EXPECT_EQ(cu("cuModuleLoadDataEx", &module, bad.c_str(), 2u, options, values),
            218);
  EXPECT_THAT(log, HasSubstr("line 4"));
  EXPECT_EQ(reinterpret_cast<size_t>(values[1]), std::string(log).size());
  EXPECT_EQ(cu("cuModuleLoadData", &module, ".version 7.0\n.target sm_xx\n"),
            218);
  EXPECT_THAT(errorText(218), HasSubstr("found 'sm_xx'"));
}

TEST_F(Simulated, RefusesLaterTargetsThanTheOneChosen) {
  std::string hopper = twoKernels();
  hopper.replace(hopper.find("sm_80"), 5, "sm_90a");
  void *module = nullptr;
  {
    Variable arch("FOVEA_SIM_ARCH", "sm_80");
    EXPECT_EQ(cu("cuModuleLoadData", &module, hopper.c_str()), 218);
    EXPECT_THAT(errorText(218), HasSubstr("the PTX is for sm_90a, but "
                                          "FOVEA_SIM_ARCH is sm_80"));
  }
  EXPECT_EQ(cu("cuModuleLoadData", &module, hopper.c_str()), 0);
  Variable arch("FOVEA_SIM_ARCH", "sm_90");
  EXPECT_EQ(cu("cuModuleLoadData", &module, hopper.c_str()), 0);
}

TEST_F(Simulated, FindsFunctionsAndVariables) {
  void *module = load(twoKernels()), *function = nullptr;
  EXPECT_EQ(cu("cuModuleGetFunction", &function, module, "third"), 500);
  EXPECT_EQ(cu("cuModuleGetFunction", &function, module, "wrong"), 218);
  EXPECT_THAT(errorText(218), HasSubstr("line 14: unknown opcode "
                                        "'frobnicate'"));
  EXPECT_EQ(cu("cuModuleGetFunction", &function, module, "first"), 0);
  uint64_t counter = 0;
  size_t bytes = 0;
  EXPECT_EQ(cu("cuModuleGetGlobal_v2", &counter, &bytes, module, "count"), 500);
  ASSERT_EQ(cu("cuModuleGetGlobal_v2", &counter, &bytes, module, "counter"), 0);
  EXPECT_EQ(bytes, 12u);
  EXPECT_EQ(read(counter, 3), (std::vector<uint32_t>{5, 6, 7}));
  EXPECT_EQ(cu("cuModuleUnload", module), 0);
  int value = 0;
  EXPECT_EQ(cu("cuFuncGetAttribute", &value, 0, function), 400);
  EXPECT_EQ(cu("cuModuleUnload", module), 400);
}

TEST_F(Simulated, KnowsWhatAKernelNeeds) {
  void *kernel = function(twoKernels(), "first");
  auto attribute = [&](int which) {
    int value = -1;
    EXPECT_EQ(cu("cuFuncGetAttribute", &value, which, kernel), 0);
    return value;
  };
  EXPECT_EQ(attribute(0), 128); // threads
  EXPECT_EQ(attribute(1), 512); // static shared memory
  EXPECT_EQ(attribute(5), 70);  // PTX 7.0
  EXPECT_EQ(attribute(6), 80);  // sm_80
  EXPECT_EQ(attribute(8), (48 << 10) - 512);
  EXPECT_EQ(cu("cuFuncSetAttribute", kernel, 8, 100 << 10), 0);
  EXPECT_EQ(attribute(8), 100 << 10);
  EXPECT_EQ(cu("cuFuncSetAttribute", kernel, 8, 163 << 10), 1); // with static
  EXPECT_EQ(cu("cuFuncSetAttribute", kernel, 0, 64), 1);        // a fact
  size_t offset = 0, size = 0;
  EXPECT_EQ(cu("cuFuncGetParamInfo", kernel, size_t{2}, &offset, &size), 0);
  EXPECT_EQ(offset, 16u); // after 8 + 4, aligned to 8
  EXPECT_EQ(size, 8u);
  EXPECT_EQ(cu("cuFuncGetParamInfo", kernel, size_t{3}, &offset, &size), 1);
}

TEST_F(Simulated, ComputesOccupancy) {
  void *kernel = function(twoKernels(), "first");
  auto blocks = [&](int threads, size_t shared) {
    int value = -1;
    EXPECT_EQ(cu("cuOccupancyMaxActiveBlocksPerMultiprocessor", &value, kernel,
                 threads, shared),
              0);
    return value;
  };
  EXPECT_EQ(blocks(128, 0), 16);       // 2048 threads
  EXPECT_EQ(blocks(32, 0), 32);        // blocks
  EXPECT_EQ(blocks(128, 39 << 10), 4); // 4 * (39.5 + 1) KB of 164
  EXPECT_EQ(blocks(256, 0), 0);        // more than .maxntid
  int grid = 0, block = 0;
  EXPECT_EQ(cu("cuOccupancyMaxPotentialBlockSize", &grid, &block, kernel,
               static_cast<void *>(nullptr), size_t{0}, 0),
            0);
  EXPECT_EQ(block, 128);
  EXPECT_EQ(grid, 16 * 108);
}

} // namespace
