// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches: parameters in both forms, limits, findings as codes, the report.

#include "SimDriver.h"

#include <fstream>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace simcuda_test;
using testing::HasSubstr;

namespace {

/// out[tid] = value + tid; with `skew` bytes added to the address.
std::string fill(const std::string &skew = "0", const std::string &store = "") {
  return std::string(header) + R"(
.visible .entry fill(.param .u32 value, .param .u64 out)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  .shared .align 4 .b8 tile[128];
  mov.u32 %r1, %tid.x;
  ld.param.u32 %r2, [value];
  add.s32 %r2, %r2, %r1;
  ld.param.u64 %rd1, [out];
  mad.wide.u32 %rd1, %r1, 4, %rd1;
  )" + store +
         R"(
  st.global.u32 [%rd1+)" +
         skew + R"(], %r2;
  ret;
})";
}

TEST_F(Simulated, TakesParametersInBothForms) {
  void *kernel = function(fill(), "fill");
  uint64_t out = allocate(16);
  uint32_t value = 40;
  ASSERT_EQ(launch(kernel, 1, 4, {&value, &out}), 0);
  EXPECT_EQ(read(out, 4), (std::vector<uint32_t>{40, 41, 42, 43}));

  struct {
    uint32_t value = 50;
    uint64_t out = 0;
  } block;
  block.out = out;
  size_t size = sizeof(block);
  void *extra[] = {reinterpret_cast<void *>(1), &block,
                   reinterpret_cast<void *>(2), &size, nullptr};
  auto launchExtra = [&](void **parameters) {
    return cu("cuLaunchKernel", kernel, 1u, 1u, 1u, 4u, 1u, 1u, 0u,
              static_cast<void *>(nullptr), parameters,
              static_cast<void **>(extra));
  };
  ASSERT_EQ(launchExtra(nullptr), 0);
  EXPECT_EQ(read(out, 4), (std::vector<uint32_t>{50, 51, 52, 53}));
  size = 8; // too short
  EXPECT_EQ(launchExtra(nullptr), 1);
  void *pointers[] = {&value, &out};
  EXPECT_EQ(launchExtra(pointers), 1); // both
}

TEST_F(Simulated, RefusesWhatTheDeviceCannotLaunch) {
  void *kernel = function(fill(), "fill");
  uint64_t out = allocate(16);
  uint32_t value = 0;
  EXPECT_EQ(launch(kernel, 0, 4, {&value, &out}), 1);
  EXPECT_EQ(launch(kernel, 1, 1025, {&value, &out}), 1);
  EXPECT_THAT(errorText(1), HasSubstr("a block of at most 1024, found 1025"));
  EXPECT_EQ(launch(kernel, 1, 4, {&value, &out}, 48 << 10),
            1); // 128 are static
  EXPECT_EQ(launch(context, 1, 4, {&value, &out}), 400);
}

TEST_F(Simulated, GivesTheClosestCodeOfAFinding) {
  uint64_t out = allocate(16);
  uint32_t value = 0;
  EXPECT_EQ(launch(function(fill("4"), "fill"), 1, 4, {&value, &out}), 700);
  EXPECT_THAT(errorText(700), HasSubstr("an illegal memory access: "
                                        "out-of-bounds in kernel 'fill' at "
                                        "line 16"));
  EXPECT_EQ(launch(function(fill("2"), "fill"), 1, 2, {&value, &out}), 716);
  // Four lanes write one word of shared memory, two different values at least.
  std::string racing = fill("0", "st.shared.u32 [tile], %r2;");
  EXPECT_EQ(launch(function(racing, "fill"), 1, 4, {&value, &out}), 719);
  EXPECT_THAT(errorText(719), HasSubstr("race in kernel 'fill' at line 15"));
  // The device goes on working, and looks for what it is told to.
  Variable checks("FOVEA_SIM_CHECK", "bounds");
  EXPECT_EQ(launch(function(racing, "fill"), 1, 4, {&value, &out}), 0);
  EXPECT_EQ(read(out, 4), (std::vector<uint32_t>{0, 1, 2, 3}));
}

TEST_F(Simulated, ReportsEveryLaunch) {
  std::string path = testing::TempDir() + "/simcuda-report.json";
  Variable report("FOVEA_SIM_REPORT", path);
  Variable goOn("FOVEA_SIM_ON_FINDING", "report");
  uint64_t out = allocate(16);
  uint32_t value = 0;
  EXPECT_EQ(launch(function(fill(), "fill"), 1, 4, {&value, &out}), 0);
  EXPECT_EQ(launch(function(fill("4"), "fill"), 1, 4, {&value, &out}), 0);
  auto json = nlohmann::json::parse(std::ifstream(path));
  ASSERT_EQ(json["launches"].size(), 2u);
  EXPECT_EQ(json["launches"][0]["findings"], 0);
  EXPECT_EQ(json["launches"][1]["findings"], 1);
  ASSERT_EQ(json["findings"].size(), 1u);
  EXPECT_EQ(json["findings"][0]["kind"], "out-of-bounds");
  EXPECT_EQ(json["findings"][0]["line"], 16);
  EXPECT_EQ(json["findings"][0]["lane"], 3);
  Variable wrong("FOVEA_SIM_SEED", "-1");
  EXPECT_EQ(launch(function(fill(), "fill"), 1, 4, {&value, &out}), 1);
  EXPECT_THAT(errorText(1),
              HasSubstr("expected FOVEA_SIM_SEED to be a number"));
}

TEST_F(Simulated, LaunchesClusters) {
  struct Attribute {
    int id;
    char pad[4];
    uint32_t value[16];
  } cluster = {4, {}, {2, 1, 1}};
  struct Config {
    unsigned grid[3], block[3], shared;
    void *stream;
    Attribute *attributes;
    unsigned count;
  } config = {{4, 1, 1}, {1, 1, 1}, 0, nullptr, &cluster, 1};
  std::string ptx = std::string(header) + R"(
.visible .entry ranks(.param .u64 out)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %cluster_ctarank;
  ld.param.u64 %rd1, [out];
  mad.wide.u32 %rd1, %r1, 4, %rd1;
  st.global.u32 [%rd1], %r2;
  ret;
})";
  ptx.replace(ptx.find(".version 7.0"), 12, ".version 8.0");
  ptx.replace(ptx.find("sm_80"), 5, "sm_90");
  void *kernel = function(ptx, "ranks");
  uint64_t out = allocate(16);
  void *parameters[] = {&out};
  auto launchEx = [&] {
    return cu("cuLaunchKernelEx", &config, kernel,
              static_cast<void **>(parameters), static_cast<void **>(nullptr));
  };
  ASSERT_EQ(launchEx(), 0);
  EXPECT_EQ(read(out, 4), (std::vector<uint32_t>{0, 1, 0, 1}));
  cluster.value[0] = 3; // does not divide 4
  EXPECT_EQ(launchEx(), 1);
  cluster.value[0] = 16; // only where asked for
  EXPECT_EQ(launchEx(), 912);
}

} // namespace
