// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Devices, contexts, streams, events: handles that are checked, and facts.

#include "SimDriver.h"

#include <thread>

using namespace simcuda_test;

namespace {

int attribute(int which) {
  int value = -1;
  EXPECT_EQ(cu("cuDeviceGetAttribute", &value, which, 0), 0);
  return value;
}

TEST_F(Simulated, IsAnA100UnlessTold) {
  EXPECT_EQ(attribute(75) * 10 + attribute(76), 80);
  EXPECT_EQ(attribute(10), 32);        // warp
  EXPECT_EQ(attribute(16), 108);       // multiprocessors
  EXPECT_EQ(attribute(97), 163 << 10); // shared memory, by asking
  EXPECT_EQ(attribute(120), 0);        // clusters
  {
    Variable arch("FOVEA_SIM_ARCH", "sm_90");
    EXPECT_EQ(attribute(75) * 10 + attribute(76), 90);
    EXPECT_EQ(attribute(97), 227 << 10);
    EXPECT_EQ(attribute(120), 1);
  }
  int value = 0;
  EXPECT_EQ(cu("cuDeviceGetAttribute", &value, 0, 0), 1);
  EXPECT_EQ(cu("cuDeviceGetAttribute", &value, 75, 1), 101);
  Variable arch("FOVEA_SIM_ARCH", "sm_75");
  EXPECT_EQ(cu("cuInit", 0u), 1);
  EXPECT_EQ(errorText(1), "invalid argument: expected FOVEA_SIM_ARCH to be "
                          "sm_80, sm_90 or sm_90a, found 'sm_75'");
}

TEST_F(Simulated, KeepsAStackOfContextsPerThread) {
  void *primary = nullptr, *now = nullptr;
  ASSERT_EQ(cu("cuDevicePrimaryCtxRetain", &primary, 0), 0);
  ASSERT_EQ(cu("cuCtxPushCurrent_v2", primary), 0);
  EXPECT_EQ(cu("cuCtxGetCurrent", &now), 0);
  EXPECT_EQ(now, primary);
  EXPECT_EQ(cu("cuCtxPopCurrent_v2", &now), 0);
  EXPECT_EQ(now, primary);
  EXPECT_EQ(cu("cuCtxGetCurrent", &now), 0);
  EXPECT_EQ(now, context);
  std::thread([&] {
    uint64_t address = 0;
    EXPECT_EQ(cu("cuMemAlloc_v2", &address, size_t{4}), 201); // no context here
    EXPECT_EQ(cu("cuCtxSetCurrent", context), 0);
    EXPECT_EQ(cu("cuMemAlloc_v2", &address, size_t{4}), 0);
  }).join();
  EXPECT_EQ(cu("cuDevicePrimaryCtxRelease_v2", 0), 0);
  EXPECT_EQ(cu("cuCtxPushCurrent_v2", primary), 201); // nobody retains it
}

TEST_F(Simulated, FreesWhatAContextOwns) {
  size_t before = 0, after = 0, total = 0;
  ASSERT_EQ(cu("cuMemGetInfo_v2", &before, &total), 0);
  void *other = nullptr;
  ASSERT_EQ(cu("cuCtxCreate_v4", &other, static_cast<void *>(nullptr), 0u, 0),
            0);
  uint64_t address = allocate(1 << 20);
  ASSERT_EQ(cu("cuMemGetInfo_v2", &after, &total), 0);
  EXPECT_EQ(before - after, 1u << 20);
  ASSERT_EQ(cu("cuCtxDestroy_v2", other), 0);
  ASSERT_EQ(cu("cuMemGetInfo_v2", &after, &total), 0);
  EXPECT_EQ(before, after);
  EXPECT_EQ(cu("cuMemFree_v2", address), 1);
}

TEST_F(Simulated, TimesEventsInOrder) {
  void *stream = nullptr, *first = nullptr, *second = nullptr;
  float milliseconds = -1;
  ASSERT_EQ(cu("cuStreamCreate", &stream, 1u), 0);
  ASSERT_EQ(cu("cuEventCreate", &first, 0u), 0);
  ASSERT_EQ(cu("cuEventCreate", &second, 0u), 0);
  EXPECT_EQ(cu("cuEventElapsedTime", &milliseconds, first, second), 400);
  EXPECT_EQ(cu("cuEventRecord", first, stream), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(cu("cuEventRecord", second, stream), 0);
  EXPECT_EQ(cu("cuStreamWaitEvent", stream, second, 0u), 0);
  EXPECT_EQ(cu("cuStreamSynchronize", stream), 0);
  EXPECT_EQ(cu("cuEventElapsedTime_v2", &milliseconds, first, second), 0);
  EXPECT_GE(milliseconds, 2);
  EXPECT_EQ(cu("cuEventDestroy_v2", first), 0);
  EXPECT_EQ(cu("cuEventSynchronize", first), 400);
  EXPECT_EQ(cu("cuStreamDestroy_v2", stream), 0);
  EXPECT_EQ(cu("cuEventRecord", second, stream), 400);
}

TEST_F(Simulated, FindsTheVersionThatTheCallerKnows) {
  auto find = [](const char *name, int version, int &status) {
    void *found = nullptr;
    status = -1;
    cu("cuGetProcAddress_v2", name, &found, version, uint64_t{0}, &status);
    return found;
  };
  int status = 0;
  EXPECT_EQ(find("cuMemAlloc", 12000, status), symbol("cuMemAlloc_v2"));
  EXPECT_EQ(find("cuInit", 12000, status), symbol("cuInit"));
  EXPECT_EQ(find("cuCtxCreate", 11030, status), symbol("cuCtxCreate_v2"));
  EXPECT_EQ(find("cuCtxCreate", 13000, status), symbol("cuCtxCreate_v4"));
  EXPECT_EQ(status, 0);
  EXPECT_EQ(find("cuNothing", 13000, status), nullptr);
  EXPECT_EQ(status, 1);
}

} // namespace
