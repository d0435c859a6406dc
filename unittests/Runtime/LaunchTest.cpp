// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every check of a launch, by one wrong argument each: the message, and that
// the kernel did not run. The kernel is a function of this test.

#include "TinyAttention.h"

#include <gtest/gtest.h>

#include <atomic>
#include <dlfcn.h>
#include <functional>
#include <set>
#include <thread>

using namespace tiny;

namespace {

std::atomic<int> runs{0};
void countRun(void *const *, const int32_t *, void *) { ++runs; }

/// A kernel of functions with an edited manifest.
class Kernel {
public:
  explicit Kernel(fovea_host_entry entry = countRun,
                  const std::string &from = "", const std::string &to = "") {
    std::string text = manifest("host", "");
    text.replace(text.find(from), from.size(), to);
    status = fovea_kernel_from_functions(
        text.c_str(), entry, nullptr,
        [](void *flag) { ++*static_cast<int *>(flag); }, &released, &kernel);
  }
  Kernel(const Kernel &) = delete;
  Kernel &operator=(const Kernel &) = delete;
  ~Kernel() { fovea_kernel_release(kernel); }

  fovea_kernel *kernel = nullptr;
  fovea_status status = FOVEA_INTERNAL;
  int released = 0;
};

/// The error of a launch after `change`; the kernel must not have run.
std::string errorOf(const std::function<void(fovea_launch &)> &change,
                    fovea_status expected = FOVEA_WRONG_INPUT) {
  Kernel kernel;
  Problem p(2, 8, 16);
  fovea_launch launch = p.launch();
  change(launch);
  runs = 0;
  fovea_status status = fovea_kernel_launch(kernel.kernel, &launch);
  EXPECT_EQ(status, expected);
  EXPECT_EQ(runs, 0);
  return status == FOVEA_OK ? "no error" : fovea_last_error();
}

TEST(Launch, RefusesWrongArrays) {
  EXPECT_EQ(errorOf([](auto &l) { l.k.type = FOVEA_BF16; }),
            "expected k of type f32, but got bf16");
  EXPECT_EQ(errorOf([](auto &l) { l.q.type = static_cast<fovea_type>(9); }),
            "expected q of type f32, but got type 9");
  EXPECT_EQ(errorOf([](auto &l) { l.q.shape[1] = 3; }),
            "expected q with heads 4 (the pattern's), but got 3 in the shape "
            "[2, 3, 8, 5]");
  EXPECT_EQ(errorOf([](auto &l) { l.k.shape[1] = 4; }),
            "expected k with heads 2 (the pattern's), but got 4 in the shape "
            "[2, 4, 16, 5]");
  EXPECT_EQ(errorOf([](auto &l) { l.v.shape[2] = 15; }),
            "expected v with length 16 (as k), but got 15 in the shape [2, 2, "
            "15, 3]");
  EXPECT_EQ(errorOf([](auto &l) { l.o.shape[2] = 7; }),
            "expected o with length 8 (as q), but got 7 in the shape [2, 4, 7, "
            "3]");
  EXPECT_EQ(errorOf([](auto &l) { l.v.shape[3] = 5; }),
            "expected v with head dimension 3 (the pattern's), but got 5 in "
            "the shape [2, 2, 16, 5]");
  EXPECT_EQ(errorOf([](auto &l) { l.k.shape[0] = 1; }),
            "expected k with batch 2 (as q), but got 1 in the shape [1, 2, 16, "
            "5]");
  EXPECT_EQ(errorOf([](auto &l) { l.k.shape[2] = l.v.shape[2] = 1 << 30; }),
            "expected k with extents from 0 to 2^30 - 1, but got the shape [2, "
            "2, 1073741824, 5]");
  EXPECT_EQ(errorOf([](auto &l) { l.q.shape[0] = -1; }),
            "expected q with extents from 0 to 2^30 - 1, but got the shape "
            "[-1, 4, 8, 5]");
}

TEST(Launch, RefusesWrongMemory) {
  EXPECT_EQ(errorOf([](auto &l) { l.v.strides[3] = 2; }),
            "expected v with a contiguous last dimension (stride 1), but got "
            "stride 2");
  EXPECT_EQ(errorOf([](auto &l) { l.q.data = nullptr; }),
            "the data pointer of q is null");
  EXPECT_EQ(
      errorOf([](auto &l) { l.q.data = static_cast<char *>(l.q.data) + 2; }),
      "the data pointer of q is not aligned to its element type f32");
  EXPECT_EQ(errorOf([](auto &l) { l.o.strides[1] = 0; }),
            "expected o without overlapping elements, but got stride 0 over an "
            "extent of 4");
  EXPECT_EQ(errorOf([](auto &l) { l.q.strides[2] = INT64_MAX / 2; }),
            "the strides of q reach beyond the address space");
}

TEST(Launch, RefusesWrongParams) {
  EXPECT_EQ(errorOf([](auto &l) { l.num_params = 0; }),
            "the param 'w' has no default and must be given");
  fovea_param unknown{"u", FOVEA_INT, 1, 0};
  EXPECT_EQ(errorOf([&](auto &l) { l.params = &unknown, l.num_params = 1; }),
            "the pattern 'tiny' has no param 'u'; it has 'w', 'c'");
  fovea_param half{"w", FOVEA_FLOAT, 0, 0.5f};
  EXPECT_EQ(errorOf([&](auto &l) { l.params = &half, l.num_params = 1; }),
            "expected an integer for the param 'w', but got 0.500000");
  fovea_param twice[] = {{"w", FOVEA_INT, 9, 0}, {"w", FOVEA_INT, 9, 0}};
  EXPECT_EQ(errorOf([&](auto &l) { l.params = twice; }),
            "the param 'w' is given twice");
}

TEST(Launch, ChecksRequirements) {
  fovea_param params[] = {{"w", FOVEA_INT, 9, 0}, {"c", FOVEA_INT, 0, 0}};
  EXPECT_EQ(errorOf([&](auto &l) { l.params = params; }),
            "pattern 'tiny', line 1, column 128: expected 1 / c to be finite, "
            "but got inf");
  params[0].int_value = 3; // w - h is 0 for head 3
  params[1].int_value = 1;
  EXPECT_EQ(errorOf([&](auto &l) { l.params = params; }),
            "pattern 'tiny', line 1, column 5: the divisor is zero, but got 0 "
            "for head 3");
}

TEST(Launch, RefusesOtherDevices) {
  EXPECT_EQ(errorOf([](auto &l) { l.device = "cuda"; }),
            "the kernel is compiled for 'host' and runs on the device 'host', "
            "not on 'cuda'");
  EXPECT_EQ(errorOf([](auto &l) { l.device = "tpu"; }),
            "expected the device 'host', 'cuda' or 'sim', but got 'tpu'");
  EXPECT_EQ(errorOf([](auto &l) { l.struct_size = 8; }),
            "expected a launch made by fovea_launch_init, but its struct_size "
            "is 8");
}

TEST(Launch, SaysWhichInstructionSetIsMissing) {
  Kernel kernel(countRun, "\"instruction_set\": []",
                "\"instruction_set\": [\"x86-64\", \"avx9000\"]");
  Problem p(1, 4, 4);
  fovea_launch launch = p.launch();
  EXPECT_EQ(fovea_kernel_launch(kernel.kernel, &launch), FOVEA_MACHINE_LACKS);
  std::string expected = "the kernel needs the instruction set 'avx9000', "
                         "which this machine lacks";
  EXPECT_EQ(std::string(fovea_last_error()).substr(0, expected.size()),
            expected);
}

TEST(Launch, NamesTheHostWhereNoDriverIs) {
  if (dlopen("libcuda.so.1", RTLD_NOW))
    GTEST_SKIP() << "this machine has a CUDA driver";
  EXPECT_EQ(fovea_device_available("cuda"), FOVEA_MACHINE_LACKS);
  EXPECT_STREQ(fovea_last_error(),
               "no CUDA driver on this machine (libcuda.so.1); compile for "
               "'--target host' to run on the device 'host'");
  EXPECT_EQ(fovea_device_available("host"), FOVEA_OK);
}

TEST(Launch, ReleasesTheOwnerOnce) {
  int released = 0;
  {
    Kernel kernel;
    ASSERT_EQ(kernel.status, FOVEA_OK);
    EXPECT_EQ(kernel.released, 0);
    fovea_kernel_release(kernel.kernel);
    kernel.kernel = nullptr;
    released = kernel.released;
  }
  EXPECT_EQ(released, 1);
  Kernel broken(countRun, "fovea-bundle", "zip");
  EXPECT_EQ(broken.status, FOVEA_WRONG_INPUT);
  EXPECT_EQ(broken.kernel, nullptr);
  EXPECT_EQ(broken.released, 1);
}

std::mutex seenMutex;
std::multiset<std::array<int32_t, 3>> seen;
void remember(void *const *, const int32_t *block, void *) {
  std::lock_guard<std::mutex> lock(seenMutex);
  seen.insert({block[0], block[1], block[2]});
}

TEST(Launch, RunsEveryWorkItemOnce) {
  Kernel kernel(remember);
  for (int64_t nq : {3, 400}) { // few and many items a thread
    Problem p(2, nq, 16);
    fovea_launch launch = p.launch();
    seen.clear();
    ASSERT_EQ(fovea_kernel_launch(kernel.kernel, &launch), FOVEA_OK);
    std::multiset<std::array<int32_t, 3>> expected;
    for (int32_t x = 0; x < (nq + 3) / 4; ++x)
      for (int32_t y = 0; y < 4; ++y)
        for (int32_t z = 0; z < 2; ++z)
          expected.insert({x, y, z});
    EXPECT_EQ(seen, expected);
  }
}

std::vector<int32_t> tilesInOrder;
void recordTile(void *const *, const int32_t *block, void *) {
  tilesInOrder.push_back(block[0]);
}

TEST(Launch, StartsWithTheLongestRows) {
  Kernel kernel(recordTile);
  Problem p(1, 12, 16);
  fovea_launch launch = p.launch();
  launch.threads = 1;
  ASSERT_EQ(fovea_kernel_launch(kernel.kernel, &launch), FOVEA_OK);
  EXPECT_EQ(tilesInOrder,
            (std::vector<int32_t>{2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0}));
}

TEST(Launch, ManyThreadsShareAKernel) {
  Kernel kernel;
  runs = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        Problem p(1, 8, 8);
        fovea_launch launch = p.launch();
        // Every other thread fails, and finds its own message.
        launch.q.shape[1] = t % 2 ? 4 : 10 + t;
        bool good = fovea_kernel_launch(kernel.kernel, &launch) == FOVEA_OK;
        EXPECT_EQ(good, t % 2 == 1);
        if (!good)
          EXPECT_NE(std::string(fovea_last_error())
                        .find("got " + std::to_string(10 + t)),
                    std::string::npos);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(runs, 2 * 20 * 8);
}

} // namespace
