// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cuda device on a fake driver (fake_cuda.cpp, found by this program's run
// path): that arrays are copied with their gaps, the right entry and image are
// taken, and nothing is left allocated.

#include "TestFolder.h"
#include "TinyAttention.h"

#include <gtest/gtest.h>

#include <dlfcn.h>
#include <fstream>

using namespace tiny;

namespace {

constexpr const char *files =
    R"({"name": "a.cubin", "kind": "cubin"}, {"name": "a.ptx", "kind": "ptx"})";

/// The manifest for sm_80 with two entries: rows of 16 bytes, and any.
std::string gpuManifest() {
  std::string text = manifest("sm_80", files);
  size_t at = text.find(R"({"name": "tiny_attention")");
  std::string entry = text.substr(at, text.find("}]", at) + 1 - at);
  std::string aligned = entry;
  aligned.replace(aligned.find("tiny_attention"), 14, "tiny_attention_aligned");
  aligned.replace(aligned.find("\"alignment\": 4"), 14, "\"alignment\": 16");
  aligned.replace(aligned.find("[1, 1, 1]"), 9, "[128, 1, 1]");
  aligned.replace(aligned.find("\"shared_bytes\": 0"), 17,
                  "\"shared_bytes\": 65536");
  return text.insert(at, aligned + ", ");
}

template <typename T> T &fake(const char *name) {
  static void *library = dlopen("libcuda.so.1", RTLD_NOW);
  void *symbol = library ? dlsym(library, name) : nullptr;
  if (!symbol) {
    ADD_FAILURE() << "the fake driver is not the one that is loaded";
    static T none{};
    return none;
  }
  return *static_cast<T *>(symbol);
}

/// Loads from memory; the cubin is `cubin`, the PTX `ptx`.
fovea_kernel *load(const std::string &text, const std::string &cubin = "bad",
                   const std::string &ptx = "good") {
  fovea_file list[] = {{"a.cubin", cubin.data(), cubin.size()},
                       {"a.ptx", ptx.data(), ptx.size()}};
  fovea_kernel *kernel = nullptr;
  EXPECT_EQ(fovea_kernel_from_files(text.c_str(), list, 2, &kernel), FOVEA_OK)
      << fovea_last_error();
  return kernel;
}

TEST(CudaDevice, CopiesLaunchesAndCopiesBack) {
  fovea_kernel *kernel = load(gpuManifest());
  for (auto [batch, nq, nk, padding] :
       {std::array{2, 11, 19, 0}, {1, 5, 9, 3}, {1, 5, 0, 3}, {0, 5, 5, 0}}) {
    Problem p(batch, nq, nk, padding);
    fovea_launch launch = p.launch();
    ASSERT_EQ(fovea_kernel_launch(kernel, &launch), FOVEA_OK)
        << fovea_last_error();
    EXPECT_LT(p.maxError(), 1e-5);
    EXPECT_TRUE(p.o.gapsAreUntouched());
    EXPECT_EQ(launch.seconds, 1.5);
    EXPECT_EQ(fake<int>("fake_live_allocations"), 0);
  }
  fovea_kernel_release(kernel);
}

TEST(CudaDevice, FollowsNegativeStrides) {
  fovea_kernel *kernel = load(gpuManifest());
  Problem p(1, 7, 7);
  Storage flipped = p.k;
  int64_t row = p.k.tensor.strides[2];
  for (int64_t n = 0; n < 7; ++n) // the rows in reverse, walked backwards
    for (int64_t i = 0; i < row; ++i)
      flipped.buffer[n * row + i] = p.k.buffer[(6 - n) * row + i];
  fovea_launch launch = p.launch();
  launch.k.data = flipped.buffer.data() + 6 * row;
  launch.k.strides[2] = -row;
  ASSERT_EQ(fovea_kernel_launch(kernel, &launch), FOVEA_OK)
      << fovea_last_error();
  EXPECT_LT(p.maxError(), 1e-5);
  fovea_kernel_release(kernel);
}

TEST(CudaDevice, TakesTheFirstEntryThatApplies) {
  fovea_kernel *kernel = load(gpuManifest());
  Problem odd(1, 5, 9); // rows of 5 and 3 elements
  fovea_launch launch = odd.launch();
  ASSERT_EQ(fovea_kernel_launch(kernel, &launch), FOVEA_OK);
  EXPECT_STREQ(fake<const char *>("fake_launched_entry"), "tiny_attention");
  EXPECT_EQ(fake<int>("fake_launched_threads"), 1);
  EXPECT_EQ(fake<int>("fake_shared_attribute"), 0);

  // A single row of one head: no stride counts, and device memory is aligned.
  Problem even(1, 1, 1);
  launch = even.launch();
  for (fovea_tensor *t : {&launch.q, &launch.k, &launch.v, &launch.o})
    t->strides[1] = 16;
  std::vector<float> q(64, 1), k(32, 1), v(32, 2), o(64);
  launch.q.data = q.data(), launch.k.data = k.data();
  launch.v.data = v.data(), launch.o.data = o.data();
  ASSERT_EQ(fovea_kernel_launch(kernel, &launch), FOVEA_OK)
      << fovea_last_error();
  EXPECT_STREQ(fake<const char *>("fake_launched_entry"),
               "tiny_attention_aligned");
  EXPECT_EQ(fake<int>("fake_launched_threads"), 128);
  EXPECT_EQ(fake<int>("fake_shared_attribute"), 65536);
  EXPECT_EQ(o[48], 2); // one key: O is its value
  fovea_kernel_release(kernel);
}

TEST(CudaDevice, TakesDevicePointers) {
  fovea_kernel *kernel = load(gpuManifest());
  Problem p(2, 11, 19);
  fovea_launch launch = p.launch();
  launch.device_memory = 1;
  ASSERT_EQ(fovea_kernel_launch(kernel, &launch), FOVEA_OK)
      << fovea_last_error();
  EXPECT_LT(p.maxError(), 1e-5);
  EXPECT_EQ(launch.seconds, 0);
  fovea_kernel_release(kernel);
}

TEST(CudaDevice, RefusesWhatTheDriverOrTheGpuLacks) {
  auto errorOf = [](const std::string &text, const std::string &ptx,
                    fovea_status expected) -> std::string {
    fovea_kernel *kernel = load(text, "bad", ptx);
    Problem p(1, 5, 9);
    fovea_launch launch = p.launch();
    EXPECT_EQ(fovea_kernel_launch(kernel, &launch), expected);
    fovea_kernel_release(kernel);
    return fovea_last_error();
  };
  EXPECT_EQ(errorOf(gpuManifest(), "bad", FOVEA_MACHINE_LACKS),
            "cuModuleLoadData failed: CUDA_ERROR_INVALID_PTX (a reason)");
  std::string later = gpuManifest();
  later.replace(later.find("sm_80"), 5, "sm_90a");
  EXPECT_EQ(errorOf(later, "good", FOVEA_MACHINE_LACKS),
            "the kernel is compiled for sm_90a, but the GPU 'Fake' is sm_80");
  std::string large = manifest("sm_80", files);
  large.replace(large.find("\"shared_bytes\": 0"), 17,
                "\"shared_bytes\": 200000");
  EXPECT_EQ(errorOf(large, "good", FOVEA_MACHINE_LACKS),
            "the kernel needs 200000 bytes of shared memory, but the GPU "
            "'Fake' has 166912");
  std::string renamed = manifest("sm_80", files);
  renamed.replace(renamed.find("tiny_attention"), 4, "Tiny");
  EXPECT_EQ(errorOf(renamed, "good", FOVEA_WRONG_INPUT),
            "the kernel's code has no entry 'Tiny_attention'");
  EXPECT_EQ(fake<int>("fake_live_allocations"), 0);
}

TEST(CudaDevice, RefusesTooLargeGrids) {
  std::string text = manifest("sm_80", files);
  text.replace(text.find("\"batch\"]"), 8, "\"batch * 65536\"]");
  fovea_kernel *kernel = load(text);
  Problem p(1, 5, 9);
  fovea_launch launch = p.launch();
  EXPECT_EQ(fovea_kernel_launch(kernel, &launch), FOVEA_WRONG_INPUT);
  EXPECT_STREQ(fovea_last_error(),
               "expected a grid of at most 65535 blocks in z (batch), but got "
               "65536");
  EXPECT_EQ(fovea_count_tiles(kernel, &launch, nullptr), FOVEA_WRONG_INPUT);
  fovea_kernel_release(kernel);
}

/// Runs examples/launch on a bundle of 37 rows.
std::string runExample(const std::string &folder, const std::string &prefix) {
  std::string log = folder + "/log";
  std::string command = prefix + " " + EXAMPLE_LAUNCH_PATH + " " + folder +
                        " 37 >" + log + " 2>&1";
  int status =
      std::system(command.c_str()); // NOLINT(bugprone-command-processor)
  std::string text;
  std::getline(std::ifstream(log), text, '\0');
  return text + "exit " + std::to_string(WEXITSTATUS(status));
}

TEST(LaunchExample, RunsOnTheDriverApi) {
  TestFolder folder;
  std::ofstream(folder / "manifest.json") << gpuManifest();
  std::ofstream(folder / "a.cubin") << "bad";
  std::ofstream(folder / "a.ptx") << "good";
  EXPECT_EQ(runExample(folder.path, "LD_LIBRARY_PATH=" FAKE_CUDA_FOLDER),
            "tiny_attention: 444 ones and 0 zeros in 444 words of O\nexit 0");
  std::ofstream(folder / "a.ptx") << "bad";
  EXPECT_EQ(runExample(folder.path, "LD_LIBRARY_PATH=" FAKE_CUDA_FOLDER),
            "cuModuleLoadData failed\nexit 1");
}

TEST(LaunchExample, SaysThatThereIsNoDriver) {
  if (std::filesystem::exists("/proc/driver/nvidia"))
    GTEST_SKIP() << "this machine has a CUDA driver";
  TestFolder folder;
  std::ofstream(folder / "manifest.json") << gpuManifest();
  std::ofstream(folder / "a.ptx") << "good";
  // The run path of this program is not that of the example.
  EXPECT_EQ(runExample(folder.path, "env -u LD_LIBRARY_PATH"),
            "cuInit: no CUDA driver here\nexit 2");
}

} // namespace
