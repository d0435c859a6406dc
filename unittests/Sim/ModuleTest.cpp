// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a module may hold: scopes, calls, recursion, initialisers; and how one
// that is not understood is refused.
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

std::string errorOf(const std::string &module) {
  try {
    launch(module, {}, {1}, 256);
  } catch (const std::exception &error) {
    return error.what();
  }
  return "";
}

TEST(SimModule, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(errorOf(moduleOf("frobnicate.b32 %r0, %r1;")),
            "line 15: unknown opcode 'frobnicate'");
  EXPECT_EQ(errorOf(moduleOf("add.quick.s32 %r0, %t, %t;")),
            "line 15: unknown modifier '.quick' of 'add'");
  EXPECT_EQ(errorOf(moduleOf("", ".surprise 3;")),
            "line 11: unknown directive '.surprise'");
  EXPECT_EQ(errorOf(moduleOf("bra NOWHERE;")),
            "line 15: unknown label 'NOWHERE'");
  EXPECT_EQ(errorOf(moduleOf("add.s32 %r0, %t;")),
            "line 15: 'add.s32' expects 3 operands, but got 2");
  EXPECT_EQ(errorOf(moduleOf("add.s64 %w0, %w1, %t;")),
            "line 15: register '%t' is .b32, but 'add.s64' needs 64 bits");
  EXPECT_EQ(errorOf(moduleOf("mov.u32 %r0, missing;")),
            "line 15: unknown name 'missing'");
}

TEST(SimModule, ScopesReuseNames) {
  std::vector<uint32_t> out;
  launch(moduleOf("mov.u32 %r0, 0;\n"
                  "{ .reg .u32 x; mov.u32 x, 1; bra L; add.u32 x, x, 100; L: "
                  "add.u32 %r0, %r0, x; }\n"
                  "{ .reg .u32 x; mov.u32 x, 2; bra L; add.u32 x, x, 100; L: "
                  "add.u32 %r0, %r0, x; }\n"
                  "st.global.u32 [%p0], %r0;"),
         {}, {1}, 256, &out);
  EXPECT_EQ(out[0], 3u);
}

TEST(SimModule, InitialisesVariables) {
  std::vector<uint32_t> out;
  std::string text = moduleOf("ld.const.u32 %r0, [c+4]; ld.global.u64 %w0, "
                              "[g]; ld.global.u32 %r1, [%w0+8];\n"
                              "st.global.v2.u32 [%p0], {%r0, %r1};");
  text.insert(text.find(".visible"),
              ".const .align 4 .u32 c[3] = {5, -6};\n"
              ".global .align 4 .u32 h[4] = {1, 2, 3, 4};\n"
              ".global .align 8 .u64 g = generic(h);\n");
  EXPECT_EQ(kinds(launch(text, {}, {1}, 256, &out)), "");
  EXPECT_EQ(out[0], 0xfffffffau);
  EXPECT_EQ(out[1], 3u);
}

/// n! by recursion, with lanes that recurse to different depths.
TEST(SimModule, CallsRecursively) {
  std::string text = moduleOf("{ .param .b32 a; .param .b32 r; st.param.b32 "
                              "[a], %t; call (r), fact, (a);\n"
                              "ld.param.b32 %r0, [r]; }\n"
                              "mul.wide.u32 %w0, %t, 4; add.u64 %w0, %p0, %w0; "
                              "st.global.u32 [%w0], %r0;");
  text.insert(text.find(".visible"), R"(
.func (.param .b32 res) fact(.param .b32 n)
{
  .reg .b32 %n, %m, %x;
  .reg .pred %q;
  ld.param.b32 %n, [n];
  mov.u32 %m, 1;
  setp.le.u32 %q, %n, 1;
  @%q bra DONE;
  sub.u32 %x, %n, 1;
  { .param .b32 a; .param .b32 r; st.param.b32 [a], %x; call (r), fact, (a); ld.param.b32 %m, [r]; }
  mul.lo.u32 %m, %m, %n;
DONE:
  st.param.b32 [res], %m;
  ret;
}
)");
  std::vector<uint32_t> out;
  EXPECT_EQ(kinds(launch(text, {}, {8}, 256, &out)), "");
  EXPECT_EQ(std::vector<uint32_t>(out.begin(), out.begin() + 8),
            (std::vector<uint32_t>{1, 1, 2, 6, 24, 120, 720, 5040}));
}

TEST(SimModule, CallsThroughAnAddress) {
  std::string text = moduleOf(
      "mov.u64 %w0, twice; setp.eq.u32 %q0, %t, 0; @%q0 mov.u64 %w0, thrice;\n"
      "{ .param .b32 a; .param .b32 r; mov.u32 %r1, 10; st.param.b32 [a], "
      "%r1;\n"
      "P: .callprototype (.param .b32 _) _ (.param .b32 _);\n"
      "call (r), %w0, (a), P; ld.param.b32 %r0, [r]; }\n"
      "mul.wide.u32 %w0, %t, 4; add.u64 %w0, %p0, %w0; st.global.u32 [%w0], "
      "%r0;");
  std::string functions;
  const std::pair<const char *, const char *> bodies[] = {{"twice", "2"},
                                                          {"thrice", "3"}};
  for (const auto &[name, factor] : bodies)
    functions += std::string(".func (.param .b32 res) ") + name +
                 "(.param .b32 n)\n{ .reg .b32 %n; ld.param.b32 %n, [n]; "
                 "mul.lo.u32 %n, %n, " +
                 factor + "; st.param.b32 [res], %n; ret; }\n";
  text.insert(text.find(".visible"), functions);
  std::vector<uint32_t> out;
  EXPECT_EQ(kinds(launch(text, {}, {2}, 256, &out)), "");
  EXPECT_EQ(out[0], 30u);
  EXPECT_EQ(out[1], 20u);
}

TEST(SimModule, LaunchesAreChecked) {
  std::string text = moduleOf("", ".shared .align 4 .b8 big[200000];");
  EXPECT_EQ(errorOf(text), "kernel 'k' needs 200000 bytes of shared memory, "
                           "but the target has 166912");
}

TEST(SimModule, ReadsHintsThatStartWithADigit) {
  std::vector<uint32_t> out;
  LaunchResult result =
      launch(moduleOf("  mov.u32 %r1, 9;\n  st.global.u32 [%p0], %r1;\n"
                      "  ld.global.L1::no_allocate.L2::128B.u32 %r0, [%p0];\n"
                      "  st.global.u32 [%p0+4], %r0;\n"),
             {1, 1, 1}, {1, 1, 1}, 64, &out);
  EXPECT_EQ(kinds(result), "");
  EXPECT_EQ(out[1], 9u);
}

TEST(SimModule, ReadsWhatInlineAssemblyWrites) {
  std::vector<uint32_t> out;
  // Directives without a space between them, numbers without a digit before or
  // after the point, a result that nobody wants.
  std::string text =
      moduleOf("{.reg.f32 a, b;\n"
               "mov.f32 a, .5; mov.f32 b, 2.; add.f32 a, a, b;\n"
               "st.global.f32 [%p0], a; }\n"
               "{ .param .b32 x; st.param.b32 [x], 4; call (_), inc, (x);\n"
               "call (%r0), other, (x); st.global.u32 [%p0+4], %r0;\n"
               "ld.global.u32 %r1, [far]; st.global.u32 [%p0+8], %r1; }");
  text.insert(text.find(".visible"),
              ".extern .global .u32 far;\n"
              ".func (.reg .b32 r) inc(.param .b32 x) { .reg .b32 %n;\n"
              "ld.param.b32 %n, [x]; add.u32 r, %n, 1; ret; }\n"
              ".alias other, inc;\n.global .u32 far = 77;\n");
  EXPECT_EQ(kinds(launch(text, {}, {1}, 64, &out)), "");
  EXPECT_EQ(out[0], 0x40200000u); // 2.5
  EXPECT_EQ(out[1], 5u);
  EXPECT_EQ(out[2], 77u);
}

TEST(SimModule, OldWarpInstructionsNeedNoMask) {
  std::string text =
      moduleOf("setp.lt.u32 %q0, %t, 4; @!%q0 bra END;\n"
               "shfl.bfly.b32 %r0, %t, 1, 0x1f;\n"
               "vote.ballot.b32 %r1, %q0;\n"
               "mul.wide.u32 %w0, %t, 8; add.u64 %w0, %p0, %w0;\n"
               "st.global.v2.u32 [%w0], {%r0, %r1}; END:",
               "", "sm_75");
  EXPECT_EQ(errorOf(text), "line 16: 'shfl' needs '.sync' since PTX 6.4");
  text.replace(text.find("9.0"), 3, "6.3");
  std::vector<uint32_t> out;
  EXPECT_EQ(kinds(launch(text, {}, {32}, 64, &out)), "");
  EXPECT_EQ(std::vector<uint32_t>(out.begin(), out.begin() + 8),
            (std::vector<uint32_t>{1, 15, 0, 15, 3, 15, 2, 15}));
}

TEST(SimModule, SaysWhatIsNotThere) {
  EXPECT_EQ(errorOf(moduleOf("tex.1d.v4.f32.s32 {%f0,%f1,%f2,%f3}, [%p0, "
                             "{%r0}];")),
            "line 15: 'tex.1d.v4.f32.s32' is not supported: there are no "
            "textures and surfaces");
  EXPECT_EQ(errorOf(moduleOf("multimem.st.global.u32 [%p0], %r0;")),
            "line 15: 'multimem.st.global.u32' is not supported: there are no "
            "memories of several devices");
  std::string text = moduleOf("call nobody;");
  text.insert(text.find(".visible"), ".extern .func nobody;\n");
  EXPECT_EQ(errorOf(text), "line 16: function 'nobody' has no body");
}

} // namespace
