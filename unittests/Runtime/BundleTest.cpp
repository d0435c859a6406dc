// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A bundle from its manifest alone. The kernel is written by hand and compiled
// by the system's C compiler; the manifest is written by hand from the page. It
// is launched twice: by the runtime, and by a launcher that is written from
// docs/bundle.md and knows nothing else.

#include "TestFolder.h"
#include "TinyAttention.h"

#include "fovea/Runtime/Expression.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <dlfcn.h>
#include <fstream>
#include <map>

using namespace tiny;

namespace {

/// Builds the bundle in a folder of its own.
class BundleTest : public testing::Test {
protected:
  void SetUp() override {
    path = folder / "tiny.fovea";
    std::filesystem::create_directory(path);
    std::filesystem::copy(TINY_ATTENTION_PATH, path + "/kernel.so");
    write(
        manifest("host", R"({"name": "kernel.so", "kind": "shared_object"})"));
  }
  void write(const std::string &text) {
    std::ofstream(path + "/manifest.json") << text;
  }
  std::string loadError() {
    fovea_kernel *kernel = nullptr;
    fovea_status status = fovea_kernel_load(path.c_str(), &kernel);
    fovea_kernel_release(kernel);
    return status == FOVEA_OK ? "no error" : fovea_last_error();
  }

  TestFolder folder;
  std::string path;
};

/// The launcher by the page: "What to pass" and "How to launch, Host".
void launchByThePage(const std::string &path, Problem &p) {
  nlohmann::json m =
      nlohmann::json::parse(std::ifstream(path + "/manifest.json"));
  auto entry = m["entries"][0];
  std::string file = m["files"][0]["name"], name = entry["name"];
  void *library = dlopen((path + "/" + file).c_str(), RTLD_NOW);
  ASSERT_NE(library, nullptr);
  auto function =
      reinterpret_cast<void (*)(void *const *, const int32_t *, void *)>(
          dlsym(library, name.c_str()));
  ASSERT_NE(function, nullptr);

  std::map<std::string, uint64_t> values = {
      {"lse", reinterpret_cast<uintptr_t>(p.lse.data())},
      {"nq", p.nq},
      {"nk", p.nk}};
  for (auto &[array, tensor] :
       std::map<std::string, fovea_tensor>{{"q", p.q.tensor},
                                           {"k", p.k.tensor},
                                           {"v", p.v.tensor},
                                           {"o", p.o.tensor}}) {
    values[array] = reinterpret_cast<uintptr_t>(tensor.data);
    for (int axis = 0; axis < 3; ++axis)
      values[array + "_stride_" + "bhn"[axis]] = tensor.strides[axis];
  }
  uint64_t cap = 0;
  std::memcpy(&cap, &p.c, sizeof(float));
  std::map<std::string, uint64_t> params = {{"w", p.w}, {"c", cap}};
  std::vector<uint64_t> arguments;
  arguments.reserve(m["parameters"].size());
  for (auto &parameter : m["parameters"])
    arguments.push_back(parameter["value"] == "param"
                            ? params.at(parameter["name"])
                            : values.at(parameter["value"]));
  std::vector<void *> pointers;
  pointers.reserve(arguments.size());
  for (uint64_t &argument : arguments)
    pointers.push_back(&argument);

  int64_t grid[3];
  for (int axis = 0; axis < 3; ++axis)
    grid[axis] = *fovea::runtime::evaluateInteger(
        std::string(entry["grid"][axis]), {{"nq", false, p.nq, 0},
                                           {"heads_q", false, headsQ, 0},
                                           {"batch", false, p.batch, 0}});
  alignas(64) char scratch[64];
  ASSERT_LE(entry["scratch_bytes"], 64);
  for (int32_t z = 0; z < grid[2]; ++z)
    for (int32_t y = 0; y < grid[1]; ++y)
      for (int32_t x = 0; x < grid[0]; ++x) {
        int32_t block[3] = {x, y, z};
        function(pointers.data(), block, scratch);
      }
  dlclose(library);
}

TEST_F(BundleTest, LaunchesByThePageAlone) {
  Problem p(2, 11, 19);
  launchByThePage(path, p);
  EXPECT_LT(p.maxError(), 1e-5);
}

TEST_F(BundleTest, LaunchesThroughTheRuntime) {
  fovea_kernel *kernel = nullptr;
  ASSERT_EQ(fovea_kernel_load(path.c_str(), &kernel), FOVEA_OK)
      << fovea_last_error();
  for (int threads : {0, 1, 2})
    for (auto [batch, nq, nk] : {std::array{2, 11, 19},
                                 {1, 1, 1},
                                 {1, 30, 7},
                                 {3, 4, 8},
                                 {1, 5, 0},
                                 {0, 5, 5},
                                 {2, 0, 3},
                                 {1, 333, 40}}) {
      Problem p(batch, nq, nk, /*padding=*/3);
      fovea_launch launch = p.launch();
      launch.threads = threads;
      ASSERT_EQ(fovea_kernel_launch(kernel, &launch), FOVEA_OK)
          << fovea_last_error();
      EXPECT_LT(p.maxError(), 1e-5) << nq << " " << nk;
      EXPECT_TRUE(p.o.gapsAreUntouched());
      EXPECT_GE(launch.seconds, 0);
    }
  fovea_kernel_release(kernel);
}

TEST_F(BundleTest, LeavesLseOut) {
  fovea_kernel *kernel = nullptr;
  ASSERT_EQ(fovea_kernel_load(path.c_str(), &kernel), FOVEA_OK);
  Problem p(1, 9, 9);
  fovea_launch launch = p.launch();
  launch.lse = nullptr;
  ASSERT_EQ(fovea_kernel_launch(kernel, &launch), FOVEA_OK);
  EXPECT_EQ(p.lse, std::vector<float>(headsQ * 9, 77));
  fovea_kernel_release(kernel);
}

TEST_F(BundleTest, CountsTiles) {
  fovea_kernel *kernel = nullptr;
  ASSERT_EQ(fovea_kernel_load(path.c_str(), &kernel), FOVEA_OK);
  Problem p(2, 8, 16);
  p.w = 5;
  // q is 8..15. Rows 8..11 keep keys 3..11: tiles 0 and 1 of 8 keys, both in
  // part. Rows 12..15 keep 7..15: again both. Each row keeps 6 keys.
  fovea_launch launch = p.launch();
  launch.q.data = launch.k.data = launch.v.data = launch.o.data = nullptr;
  fovea_tile_counts counts{};
  ASSERT_EQ(fovea_count_tiles(kernel, &launch, &counts), FOVEA_OK)
      << fovea_last_error();
  EXPECT_EQ(counts.visited, 2 * 4 * 4);
  EXPECT_EQ(counts.masked, 2 * 4 * 4);
  EXPECT_EQ(counts.kept_pairs, 2 * 4 * 8 * 6);
  fovea_kernel_release(kernel);
}

TEST_F(BundleTest, TellsWhatItHolds) {
  fovea_kernel *kernel = nullptr;
  ASSERT_EQ(fovea_kernel_load(path.c_str(), &kernel), FOVEA_OK);
  fovea_kernel_info info{};
  ASSERT_EQ(fovea_kernel_get_info(kernel, &info), FOVEA_OK);
  EXPECT_STREQ(info.name, "tiny");
  EXPECT_STREQ(info.device, "host");
  EXPECT_EQ(info.heads_q * 1000 + info.heads_kv * 100 + info.dim_qk * 10 +
                info.dim_v,
            4253);
  EXPECT_EQ(info.tile_m * 10 + info.tile_n, 48);
  EXPECT_TRUE(info.counts_tiles);
  EXPECT_NE(std::string(fovea_kernel_manifest(kernel)).find("by hand"),
            std::string::npos);
  fovea_kernel_release(kernel);
}

TEST_F(BundleTest, SaysWhatIsWrongWithABundle) {
  std::string inBundle = "in the bundle '" + path + "': ";
  write(manifest("host", R"({"name": "kernel.so", "kind": "object"})"));
  EXPECT_EQ(loadError(), inBundle + "the manifest names no file of kind "
                                    "'shared_object'");
  write(manifest("host", R"({"name": "other.so", "kind": "shared_object"})"));
  EXPECT_EQ(loadError().substr(0, inBundle.size() + 23),
            inBundle + "cannot open the kernel:");
  write(manifest("sm_80", R"({"name": "kernel.so", "kind": "shared_object"})"));
  EXPECT_EQ(loadError(), inBundle + "the manifest names no file of kind "
                                    "'cubin' or 'ptx'");
  std::string text =
      manifest("host", R"({"name": "kernel.so", "kind": "shared_object"})");
  text.replace(text.find("tiny_attention_tiles"), 20, "nothing");
  write(text);
  EXPECT_EQ(loadError(),
            inBundle + "'" + path + "/kernel.so' has no function 'nothing'");
  write("{\"format\": ");
  EXPECT_EQ(loadError().substr(0, inBundle.size() + 31),
            inBundle + "malformed manifest: parse error");
  std::filesystem::remove(path + "/manifest.json");
  EXPECT_EQ(loadError(), "cannot read '" + path +
                             "/manifest.json': No such file or directory");
}

} // namespace
