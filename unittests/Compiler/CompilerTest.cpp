// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The library as its users call it: stages, errors, threads, determinism, and
// one kernel for many lengths.
#include "fovea/Compiler.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <functional>
#include <thread>

using namespace fovea;
using testing::HasSubstr;

namespace {

constexpr const char *local = R"(pattern local {
  heads q = 4, kv = 2
  dim 16
  type f32
  param w : int = 8
  mask causal & window(w, 0)
})";

/// Softmax attention of one query by hand: heads 4 : 2, D = 16, keys q-w..q.
struct Problem {
  int64_t nq, nk, w;
  std::vector<float> q, k, v, o, lse;

  Problem(int64_t nq, int64_t nk, int64_t w) : nq(nq), nk(nk), w(w) {
    auto fill = [](std::vector<float> &x, size_t n, unsigned seed) {
      x.resize(n);
      for (float &value : x) {
        seed = seed * 1664525u + 1013904223u;
        value = static_cast<float>(seed >> 8) / (1 << 23) - 1.0f;
      }
    };
    fill(q, 4 * nq * 16, 1);
    fill(k, 2 * nk * 16, 2);
    fill(v, 2 * nk * 16, 3);
    o.assign(4 * nq * 16, -7.0f);
    lse.assign(4 * nq, -7.0f);
  }

  fovea_status run(const Kernel &kernel) {
    return with([&](fovea_launch &launch) {
      return fovea_kernel_launch(kernel.get(), &launch);
    });
  }

  fovea_tile_counts count(const Kernel &kernel) {
    fovea_tile_counts counts{};
    EXPECT_EQ(with([&](fovea_launch &launch) {
                return fovea_count_tiles(kernel.get(), &launch, &counts);
              }),
              FOVEA_OK);
    return counts;
  }

  fovea_status with(const std::function<fovea_status(fovea_launch &)> &use) {
    auto tensor = [](std::vector<float> &x, int64_t heads, int64_t n) {
      return fovea_tensor{x.data(),
                          FOVEA_F32,
                          {1, heads, n, 16},
                          {heads * n * 16, n * 16, 16, 1}};
    };
    fovea_param param{"w", FOVEA_INT, w, 0};
    fovea_launch launch;
    fovea_launch_init(&launch);
    launch.q = tensor(q, 4, nq);
    launch.k = tensor(k, 2, nk);
    launch.v = tensor(v, 2, nk);
    launch.o = tensor(o, 4, nq);
    launch.lse = lse.data();
    launch.params = &param;
    launch.num_params = 1;
    return use(launch);
  }

  void expectRight() {
    for (int64_t h = 0; h < 4; ++h)
      for (int64_t i = 0; i < nq; ++i)
        expectRow(h, i);
  }

  void expectRow(int64_t h, int64_t i) {
    const float *kHead = k.data() + h / 2 * nk * 16,
                *vHead = v.data() + h / 2 * nk * 16;
    int64_t position = i + nk - nq;
    double sum = 0, out[16] = {};
    for (int64_t j = std::max<int64_t>(0, position - w);
         j <= position && j < nk; ++j) {
      double s = 0;
      for (int64_t d = 0; d < 16; ++d)
        s += double(q[(h * nq + i) * 16 + d]) * kHead[j * 16 + d];
      double p = std::exp(s / 4);
      sum += p;
      for (int64_t d = 0; d < 16; ++d)
        out[d] += p * vHead[j * 16 + d];
    }
    for (int64_t d = 0; d < 16; ++d)
      EXPECT_NEAR(o[(h * nq + i) * 16 + d], sum > 0 ? out[d] / sum : 0, 2e-5);
    if (sum > 0)
      EXPECT_NEAR(lse[h * nq + i], std::log(sum), 1e-5);
    else
      EXPECT_EQ(lse[h * nq + i], -INFINITY);
  }
};

TEST(Compiler, OneKernelServesAllLengthsAndWindows) {
  Outcome<Kernel> kernel = compile(local);
  ASSERT_TRUE(kernel) << kernel.diagnostics.at(0).message;
  for (auto [nq, nk] : {std::pair<int64_t, int64_t>{1, 1},
                        {1, 77},
                        {63, 63},
                        {65, 130},
                        {40, 9}})
    for (int64_t w : {0, 3, 500}) {
      Problem problem(nq, nk, w);
      ASSERT_EQ(problem.run(*kernel), FOVEA_OK) << fovea_last_error();
      problem.expectRight();
    }
}

TEST(Compiler, CompilesAndRunsInManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      Outcome<Kernel> kernel = compile(local);
      ASSERT_TRUE(kernel);
      Problem problem(30 + t, 50, 4);
      ASSERT_EQ(problem.run(*kernel), FOVEA_OK);
      problem.expectRight();
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Compiler, EveryStageIsTextOrBytesAndTheSameTwice) {
  for (const char *target : {"host", "sm_80"})
    for (Stage stage : {Stage::Attn, Stage::Tile, Stage::LLVM, Stage::Bundle}) {
      CompileOptions options;
      options.target = target;
      Outcome<Artifact> first = emit(local, stage, options);
      Outcome<Artifact> second = emit(local, stage, options);
      ASSERT_TRUE(first) << target << ": " << first.diagnostics.at(0).message;
      ASSERT_TRUE(second);
      EXPECT_FALSE(first->files.empty());
      EXPECT_EQ(first->files, second->files) << target;
    }
}

TEST(Compiler, StagesShowTheirDialect) {
  EXPECT_THAT(emit(local, Stage::Attn)->files[0].second,
              HasSubstr("attn.window"));
  EXPECT_THAT(emit(local, Stage::Tile)->files[0].second,
              HasSubstr("tile.online_softmax"));
  EXPECT_THAT(emit(local, Stage::LLVM)->files[0].second, HasSubstr("define"));
  CompileOptions options;
  options.target = "sm_80";
  EXPECT_THAT(emit(local, Stage::PTX, options)->files[0].second,
              HasSubstr(".target sm_80"));
}

TEST(Compiler, ReportsWhatIsWrong) {
  Outcome<Kernel> syntax =
      compile("pattern p { heads 4 dim 16 type f32 mask windo(3) }");
  ASSERT_FALSE(syntax);
  EXPECT_EQ(syntax.status, FOVEA_WRONG_INPUT);
  EXPECT_EQ(syntax.diagnostics.at(0).loc.line, 1u);
  EXPECT_EQ(syntax.diagnostics.at(0).loc.column, 42u);

  CompileOptions options;
  options.target = "sm_12";
  EXPECT_THAT(compile(local, options).diagnostics.at(0).message,
              HasSubstr("expected target host or sm_80, found 'sm_12'"));
  options.target = "host";
  EXPECT_THAT(emit(local, Stage::PTX, options).diagnostics.at(0).message,
              HasSubstr("sm_80"));
  options.target = "sm_80";
  EXPECT_THAT(emit(local, Stage::Object, options).diagnostics.at(0).message,
              HasSubstr("host"));
}

TEST(Compiler, CanLeaveOutWhatALaunchDoesNotNeed) {
  CompileOptions gpu, host;
  gpu.target = "sm_80";
  gpu.packedOnly = true;
  Outcome<Kernel> packed = compile(local, gpu);
  ASSERT_TRUE(packed);
  EXPECT_THAT(packed->manifest(), testing::Not(HasSubstr("\"local_general\"")));
  // Rows of 10 bytes have one entry, which stays.
  Outcome<Kernel> odd =
      compile("pattern odd { heads 1 dim 5 type f16 mask causal }", gpu);
  ASSERT_TRUE(odd);
  EXPECT_THAT(odd->manifest(), HasSubstr("\"odd\""));

  host.countOnly = true;
  Outcome<Kernel> counter = compile(local, host), whole = compile(local);
  ASSERT_TRUE(counter && whole);
  Problem problem(20, 30, 4);
  EXPECT_EQ(problem.run(*counter), FOVEA_WRONG_INPUT);
  EXPECT_STREQ(fovea_last_error(), "the kernel can only count tiles");
  fovea_tile_counts counted = problem.count(*counter),
                    expected = problem.count(*whole);
  EXPECT_EQ(counted.visited, expected.visited);
  EXPECT_EQ(counted.kept_pairs, expected.kept_pairs);
  // Four heads; row i of 20 sees the keys i + 10 - 4 .. i + 10.
  EXPECT_EQ(counted.kept_pairs, 4 * 20 * 5);
}

TEST(Compiler, StageNames) {
  EXPECT_EQ(parseStage("obj"), Stage::Object);
  EXPECT_EQ(parseStage("object"), std::nullopt);
}

} // namespace
