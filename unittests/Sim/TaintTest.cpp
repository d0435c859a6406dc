// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How far an unwritten value reaches: not through a predicate that another
// operand decides, and not as the padding of a structure.
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim::test;

namespace {

std::string findings(const std::string &body,
                     const std::string &declarations = "") {
  return kinds(launch(moduleOf(body, declarations), {}, {1}, 256));
}

/// %q0 compares an unwritten register, %q1 is true, %q2 false.
std::string branchOn(const std::string &combine) {
  return findings("setp.eq.u32 %q0, %r9, 0; setp.eq.u32 %q1, %t, 0;\n"
                  "setp.ne.u32 %q2, %t, 0;\n" +
                  combine + " @%q3 bra X; X:");
}

TEST(SimTaint, ADecidingPredicateHidesTheOther) {
  EXPECT_EQ(branchOn("and.pred %q3, %q0, %q2;"), "");
  EXPECT_EQ(branchOn("or.pred %q3, %q1, %q0;"), "");
  EXPECT_EQ(branchOn("setp.lt.and.u32 %q3, %r9, %t, %q2;"), "");
  EXPECT_EQ(branchOn("setp.lt.or.u32 %q3, %r9, %t, %q1;"), "");
  EXPECT_EQ(branchOn("and.pred %q3, %q0, %q1;"), "uninitialized");
  EXPECT_EQ(branchOn("or.pred %q3, %q0, %q2;"), "uninitialized");
  EXPECT_EQ(branchOn("xor.pred %q3, %q0, %q2;"), "uninitialized");
  EXPECT_EQ(branchOn("setp.lt.or.u32 %q3, %r9, %t, %q2;"), "uninitialized");
}

TEST(SimTaint, ADecidingWordHidesTheOther) {
  const char *store = " st.global.u32 [%p0], %r0;";
  EXPECT_EQ(findings(std::string("and.b32 %r0, %r9, 0;") + store), "");
  EXPECT_EQ(findings(std::string("or.b32 %r0, -1, %r9;") + store), "");
  EXPECT_EQ(findings(std::string("and.b32 %r0, %r9, 1;") + store),
            "uninitialized");
  EXPECT_EQ(findings(std::string("xor.b32 %r0, %r9, 0;") + store),
            "uninitialized");
}

const char *const pair = ".shared .align 8 .b8 s[16];";
/// A structure of a byte, padding, and a word.
const char *const fill = "st.shared.u8 [s], %t; st.shared.u32 [s+4], %t;\n";

TEST(SimTaint, PaddingIsCopiedInSilence) {
  std::string start = fill;
  EXPECT_EQ(findings(start + "ld.shared.u32 %r0, [s]; mov.u32 %r1, %r0;\n"
                             "st.global.u32 [%p0], %r1;",
                     pair),
            "");
  EXPECT_EQ(findings(start + "ld.shared.b64 %w0, [s];\n"
                             "mov.b64 {%r0, %r1}, %w0;\n"
                             "mov.b64 %w1, {%r0, %r1};\n"
                             "st.global.b64 [%p0], %w1;",
                     pair),
            "");
  EXPECT_EQ(findings(start + "ld.shared.u32 %r0, [s];\n"
                             "shfl.sync.idx.b32 %r1, %r0, 0, 31, 1;\n"
                             "st.global.u32 [%p0], %r1;",
                     pair),
            "");
}

TEST(SimTaint, PaddingThatIsUsedIsFound) {
  std::string start = fill;
  EXPECT_EQ(findings(start + "ld.shared.u32 %r0, [s]; add.u32 %r0, %r0, 1;\n"
                             "st.global.u32 [%p0], %r0;",
                     pair),
            "uninitialized");
  // The copy stays padding: the next to compute with it is found.
  EXPECT_EQ(findings(start + "ld.shared.u32 %r0, [s];\n"
                             "st.shared.u32 [s+8], %r0;\n"
                             "ld.shared.u32 %r1, [s+8];\n"
                             "setp.eq.u32 %q0, %r1, 0; @%q0 bra X; X:",
                     pair),
            "uninitialized");
  EXPECT_EQ(findings(start + "ld.shared.u32 %r0, [s+8];\n"
                             "st.global.u32 [%p0], %r0;",
                     pair),
            "uninitialized");
}

/// Triton packs a half that it needs with one that it never wrote.
TEST(SimTaint, BytesAreToldApart) {
  auto half = [](const std::string &use) {
    return findings("mov.u16 %h0, 5; mov.b32 %r0, {%h0, %h1};\n" + use +
                        " st.global.u32 [%p0], %r1;",
                    ".reg .b16 %h<4>;");
  };
  EXPECT_EQ(half("prmt.b32 %r1, %r0, 7, 0x5410;"), "");
  EXPECT_EQ(half("prmt.b32 %r1, %r0, 7, 0x5432;"), "uninitialized");
  EXPECT_EQ(half("and.b32 %r1, %r0, 0xffff;"), "");
  EXPECT_EQ(half("and.b32 %r1, %r0, 0x1ffff;"), "uninitialized");
  EXPECT_EQ(half("shl.b32 %r1, %r0, 16;"), "");
  EXPECT_EQ(half("shr.u32 %r1, %r0, 8;"), "uninitialized");
  EXPECT_EQ(half("or.b32 %r1, %r0, 0xffff0000;"), "");
  EXPECT_EQ(half("mov.b32 {%h2, %h3}, %r0; mov.b32 %r1, {%h2, %h2};"), "");
  // A register that is missing is no padding.
  EXPECT_EQ(half("mov.u32 %r1, %r0;"), "uninitialized");
}

/// Local memory is a place for registers: what was unwritten stays so.
TEST(SimTaint, LocalMemoryIsNoUse) {
  const char *local = ".local .align 8 .b8 l[16];";
  EXPECT_EQ(findings("st.local.u32 [l], %r9; ld.local.u32 %r0, [l];", local),
            "");
  EXPECT_EQ(findings("st.local.u32 [l], %r9; ld.local.u32 %r0, [l];\n"
                     "st.global.u32 [%p0], %r0;",
                     local),
            "uninitialized");
}

/// Packed arithmetic on a pair whose upper half nobody wrote: the lower half of
/// the result may be used, the upper not.
TEST(SimTaint, HalvesAreTakenApart) {
  const char *const h = ".reg .b16 %h<9>;";
  std::string start = "mov.b16 %h0, 1; mov.b32 %r0, {%h0, %h8};\n";
  auto half = [&](const std::string &body, const char *part) {
    return findings(start + body + "\n mov.b32 " + part +
                        ", %r1; st.global.b16 [%p0], %h1;",
                    h);
  };
  for (const char *body :
       {"add.f16x2 %r1, %r0, %r0;", "fma.rn.bf16x2 %r1, %r0, %r0, %r0;",
        "max.f16x2 %r1, %r0, %r0;", "neg.f16x2 %r1, %r0;",
        "max.s16x2 %r1, %r0, %r0;", "xor.b32 %r1, %r0, 5;", "not.b32 %r1, %r0;",
        "lop3.b32 %r1, %r0, 3, 5, 0x96;", "ex2.approx.f16x2 %r1, %r0;"}) {
    EXPECT_EQ(half(body, "{%h1, _}"), "") << body;
    EXPECT_EQ(half(body, "{_, %h1}"), "uninitialized") << body;
  }
  // The first operand of a packing conversion becomes the upper half.
  const char *pack = "cvt.rn.f16x2.f32 %r1, %f9, 0f3f800000;";
  EXPECT_EQ(half(pack, "{%h1, _}"), "");
  EXPECT_EQ(half(pack, "{_, %h1}"), "uninitialized");
  // A whole store uses both.
  EXPECT_EQ(findings(start + "add.f16x2 %r1, %r0, %r0;\n"
                             "st.global.u32 [%p0], %r1;",
                     h),
            "uninitialized");
}

} // namespace
