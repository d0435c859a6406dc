// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The device sim: patterns compiled for sm_80, launched by the C ABI, executed
// with every check, and compared with the float64 reference.

#include "fovea/Compiler.h"
#include "fovea/Pattern/Parser.h"
#include "fovea/Reference/RandomPattern.h"
#include "fovea/Reference/Reference.h"

#include <gmock/gmock.h>

#include <array>

using namespace fovea;
using reference::StridedArray;

namespace {

/// Small numbers from a linear congruential generator.
class Numbers {
public:
  double next() {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<double>(state >> 40) / (1 << 23) - 1;
  }

private:
  uint64_t state = 7;
};

StridedArray draw(Numbers &numbers, fovea_type type, const int64_t (&shape)[4],
                  int order) {
  StridedArray array(type, shape, order, /*padding=*/8, /*offset=*/8);
  for (int64_t b = 0; b < shape[0]; ++b)
    for (int64_t h = 0; h < shape[1]; ++h)
      for (int64_t n = 0; n < shape[2]; ++n)
        for (int64_t d = 0; d < shape[3]; ++d)
          array.set(b, h, n, d, 2 * numbers.next());
  return array;
}

struct Problem {
  const char *type;
  fovea_type code;
  double tolerance; // of O, relative to the largest |V|
};

class SimDevice : public testing::TestWithParam<Problem> {
protected:
  static void SetUpTestSuite() { setenv("FOVEA_SIM_CUDA", SIM_CUDA_PATH, 1); }

  /// Heads 4 : 2, dimensions 48 and 32, of which no tile is made.
  std::string textOf(const std::string &rest) const {
    return std::string("pattern p { heads q = 4, kv = 2 dim qk = 48, v = 32 "
                       "type ") +
           GetParam().type + " " + rest + " }";
  }

  static Outcome<Kernel> compiled(const std::string &text) {
    CompileOptions options;
    options.target = "sm_80";
    Outcome<Kernel> kernel = compile(text, options);
    EXPECT_TRUE(kernel) << text << ": " << kernel.diagnostics.at(0).message;
    return kernel;
  }

  void check(const std::string &text,
             std::initializer_list<std::array<int64_t, 2>> lengths) {
    Outcome<Kernel> kernel = compiled(text);
    ASSERT_TRUE(kernel);
    for (auto [nq, nk] : lengths)
      check(*kernel, text, nq, nk);
  }

  void check(const Kernel &kernel, const std::string &text, int64_t nq,
             int64_t nk) {
    SCOPED_TRACE(text + " " + std::to_string(nq) + " x " + std::to_string(nk));
    Numbers numbers;
    fovea_type type = GetParam().code;
    StridedArray q = draw(numbers, type, {2, 4, nq, 48}, 0),
                 k = draw(numbers, type, {2, 2, nk, 48}, 1),
                 v = draw(numbers, type, {2, 2, nk, 32}, 0),
                 o = draw(numbers, type, {2, 4, nq, 32}, 1);
    std::vector<float> lse(2 * 4 * nq, -7);
    fovea_launch launch;
    fovea_launch_init(&launch);
    launch.q = q.view(), launch.k = k.view(), launch.v = v.view();
    launch.o = o.view(), launch.lse = lse.data(), launch.device = "sim";
    ASSERT_EQ(fovea_kernel_launch(kernel.get(), &launch), FOVEA_OK)
        << fovea_last_error();
    pattern::ParseResult parsed = pattern::parsePattern(text, "p");
    reference::Result expected =
        reference::attention(*parsed.pattern, {}, launch.q, launch.k, launch.v);
    reference::Difference difference =
        reference::compare(expected, launch.o, lse.data());
    EXPECT_LE(difference.o,
              GetParam().tolerance * reference::largestMagnitude(launch.v));
    EXPECT_LE(difference.lse, 1e-4);
    EXPECT_TRUE(o.gapsUntouched());
  }
};

TEST_P(SimDevice, AwkwardLengths) {
  // Of 40 queries and 9 keys, the first 31 rows keep nothing.
  check(textOf("mask causal"),
        {{1, 1}, {1, 77}, {65, 130}, {40, 9}, {5, 0}, {0, 5}});
}

TEST_P(SimDevice, MasksAndScores) {
  check(textOf("mask window(20, 3) | global(2) score softcap(s, 20.0)"),
        {{90, 101}});
  check(textOf("mask (prefix(9) | causal) & ~dilated(9, 9, 3) score alibi"),
        {{67, 67}});
}

TEST_P(SimDevice, SaysWhatIsWrong) {
  Outcome<Kernel> kernel = compiled(textOf("mask causal"));
  ASSERT_TRUE(kernel);
  setenv("FOVEA_SIM_CHECK", "everything", 1);
  Numbers numbers;
  StridedArray x = draw(numbers, GetParam().code, {1, 4, 1, 48}, 0),
               y = draw(numbers, GetParam().code, {1, 2, 1, 48}, 0),
               z = draw(numbers, GetParam().code, {1, 2, 1, 32}, 0),
               o = draw(numbers, GetParam().code, {1, 4, 1, 32}, 0);
  fovea_launch launch;
  fovea_launch_init(&launch);
  launch.q = x.view(), launch.k = y.view(), launch.v = z.view();
  launch.o = o.view(), launch.device = "sim";
  EXPECT_EQ(fovea_kernel_launch(kernel->get(), &launch), FOVEA_INTERNAL);
  EXPECT_THAT(fovea_last_error(),
              testing::HasSubstr("expected FOVEA_SIM_CHECK to be all, none"));
  unsetenv("FOVEA_SIM_CHECK");
  EXPECT_EQ(fovea_kernel_launch(kernel->get(), &launch), FOVEA_OK)
      << fovea_last_error();
}

INSTANTIATE_TEST_SUITE_P(Types, SimDevice,
                         testing::Values(Problem{"f32", FOVEA_F32, 2e-5},
                                         Problem{"f16", FOVEA_F16, 2e-3},
                                         Problem{"bf16", FOVEA_BF16, 1e-2}),
                         [](const auto &info) { return info.param.type; });

TEST(SimDeviceOnly, RunsGpuKernelsOnly) {
  Outcome<Kernel> kernel =
      compile("pattern p { heads 1 dim 16 type f32 mask causal }");
  ASSERT_TRUE(kernel);
  fovea_launch launch;
  fovea_launch_init(&launch);
  launch.device = "sim";
  EXPECT_EQ(fovea_kernel_launch(kernel->get(), &launch), FOVEA_WRONG_INPUT);
  EXPECT_STREQ(fovea_last_error(),
               "the kernel is compiled for 'host' and runs on the device "
               "'host', not on 'sim'");
  EXPECT_EQ(fovea_device_available("sim"), FOVEA_OK);
}

} // namespace
