// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls: what is unwritten in a callee, recursion, the runtime's functions,
// memory of alloca.
#include "Harness.h"
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

/// A module of functions and a kernel `k` as Harness.h describes it.
std::string withFunctions(const std::string &functions,
                          const std::string &body) {
  std::string text = moduleOf(body);
  return text.insert(text.find(".visible .entry"), functions);
}

std::string findings(const std::string &functions, const std::string &body,
                     std::vector<uint32_t> *out = nullptr) {
  return kinds(launch(withFunctions(functions, body), {}, {1}, 64, out));
}

/// Stores its argument in a local variable if that is not zero, returns it.
const char *const keeper = R"(
.func (.param .b32 r) keep(.param .b32 x)
{
  .reg .b32 %r<4>; .reg .pred %q;
  .local .align 4 .b32 l;
  ld.param.b32 %r0, [x];
  setp.eq.u32 %q, %r0, 0; @%q bra S;
  st.local.b32 [l], %r0;
S: ld.local.b32 %r1, [l];
  st.param.b32 [r], %r1;
  ret;
}
)";

std::string callKeep(const std::string &argument) {
  return "{ .param .b32 a; .param .b32 b; mov.u32 %r0, " + argument +
         "; st.param.b32 [a], %r0; call (b), keep, (a);\n"
         "ld.param.b32 %r1, [b]; }\n";
}

TEST(SimCalls, AFrameStartsUnwritten) {
  std::vector<uint32_t> out;
  std::string store = "st.global.u32 [%p0], %r1;";
  EXPECT_EQ(findings(keeper, callKeep("7") + store, &out), "");
  EXPECT_EQ(out[0], 7u);
  EXPECT_EQ(findings(keeper, callKeep("0") + store), "uninitialized");
  // What an earlier call left there is no value.
  EXPECT_EQ(findings(keeper, callKeep("7") + callKeep("0") + store),
            "uninitialized");
  EXPECT_EQ(findings(keeper, callKeep("0") + callKeep("7") + store), "");
}

TEST(SimCalls, UnwrittenArgumentsStayUnwritten) {
  std::string body = "{ .param .b32 a; .param .b32 b; st.param.b32 [a], %r9;\n"
                     "call (b), keep, (a); ld.param.b32 %r1, [b]; }\n";
  EXPECT_EQ(findings(keeper, body), "uninitialized"); // at its branch
}

/// n + (n - 1) + ... by a function that keeps n in local memory meanwhile.
TEST(SimCalls, RecursionKeepsRegistersAndFrame) {
  const char *sum = R"(
.func (.param .b32 r) sum(.param .b32 x)
{
  .reg .b32 %r<4>; .reg .pred %q;
  .local .align 4 .b32 l;
  ld.param.b32 %r0, [x];
  st.local.b32 [l], %r0;
  mov.u32 %r2, 0;
  setp.eq.u32 %q, %r0, 0; @%q bra S;
  { .param .b32 a; .param .b32 b; sub.u32 %r1, %r0, 1; st.param.b32 [a], %r1;
    call (b), sum, (a); ld.param.b32 %r2, [b]; }
S: ld.local.b32 %r3, [l]; add.u32 %r2, %r2, %r3; add.u32 %r2, %r2, %r0;
  st.param.b32 [r], %r2;
  ret;
}
)";
  std::vector<uint32_t> out;
  EXPECT_EQ(findings(sum,
                     "{ .param .b32 a; .param .b32 b; st.param.b32 [a], 9;\n"
                     "call (b), sum, (a); ld.param.b32 %r1, [b]; }\n"
                     "st.global.u32 [%p0], %r1;",
                     &out),
            "");
  EXPECT_EQ(out[0], 90u);
}

const char *const printFunction =
    ".extern .func (.param .b32 r) vprintf (.param .b64 a, .param .b64 b);\n"
    ".global .align 1 .b8 f[40] = {37, 48, 52, 100, 32, 37, 46, 50, 102, 32, "
    "37, 108, 108, 120, 32, 37, 115, 37, 37, 37, 99, 10};\n"
    ".global .align 1 .b8 t[4] = {97, 98, 99};\n";

TEST(SimBuiltins, Prints) {
  // %04d %.2f %llx %s%%%c of 42, 0.125, 2^33, "abc", 'x'
  std::string body = R"({
  .local .align 8 .b8 v[40]; .reg .b64 %a<4>; .param .b32 r; .param .b64 a;
  .param .b64 b;
  st.local.u32 [v], 42; st.local.f64 [v+8], 0.125;
  st.local.u64 [v+16], 8589934592; cvta.global.u64 %a0, t;
  st.local.u64 [v+24], %a0; st.local.u32 [v+32], 120;
  cvta.local.u64 %a1, v; cvta.global.u64 %a2, f;
  st.param.b64 [a], %a2; st.param.b64 [b], %a1;
  call.uni (r), vprintf, (a, b);
  ld.param.b32 %r0, [r]; st.global.u32 [%p0], %r0; })";
  Device device;
  auto module = device.load(withFunctions(printFunction, body));
  uint64_t params[2] = {device.allocate(64), device.allocate(64)};
  LaunchConfig config;
  config.output = std::tmpfile();
  LaunchResult result = device.launch(*module, "k", config, params, 16);
  EXPECT_EQ(kinds(result), "");
  std::rewind(config.output);
  char line[64] = {};
  EXPECT_TRUE(std::fgets(line, sizeof line, config.output));
  std::fclose(config.output);
  EXPECT_STREQ(line, "0042 0.12 200000000 abc%x\n");
  uint32_t count = 0;
  device.copyOut(&count, params[0], 4);
  EXPECT_EQ(count, 5u);
}

const char *const heap =
    ".extern .func (.param .b64 r) malloc (.param .b64 a);\n"
    ".extern .func free (.param .b64 a);\n";
const char *const allocate =
    "{ .param .b64 a; .param .b64 r; st.param.b64 [a], 8;\n"
    "call (r), malloc, (a); ld.param.b64 %w0, [r]; }\n";
const char *const release =
    "{ .param .b64 a; st.param.b64 [a], %w0; call free, (a); }\n";

TEST(SimBuiltins, TheHeapIsChecked) {
  std::string start = allocate, end = release;
  EXPECT_EQ(findings(heap, start + "st.u32 [%w0+4], 1; ld.u32 %r0, [%w0+4];\n" +
                               "st.global.u32 [%p0], %r0;" + end),
            "");
  EXPECT_EQ(findings(heap, start + "st.u32 [%w0+8], 1;"), "out-of-bounds");
  EXPECT_EQ(findings(heap, start + "ld.u32 %r0, [%w0];\n"
                                   "st.global.u32 [%p0], %r0;"),
            "uninitialized");
  EXPECT_EQ(
      findings(heap, start + "st.u32 [%w0], 1;" + end + "ld.u32 %r0, [%w0];"),
      "out-of-bounds");
  EXPECT_EQ(findings(heap, start + end + end), "out-of-bounds");
}

TEST(SimBuiltins, AssertionsSayWhatFailed) {
  const char *function =
      ".extern .func __assertfail (.param .b64 a, .param .b64 b, .param .b32 c,"
      " .param .b64 d, .param .b64 e);\n"
      ".global .align 1 .b8 m[6] = {120, 32, 62, 32, 48};\n"
      ".global .align 1 .b8 n[4] = {97, 46, 99};\n";
  LaunchResult result = launch(
      withFunctions(function, "{ .param .b64 a; .param .b64 b; .param .b32 c;\n"
                              ".param .b64 d; .param .b64 e; mov.u64 %w0, m;\n"
                              "mov.u64 %w1, n; st.param.b64 [a], %w0;\n"
                              "st.param.b64 [b], %w1; st.param.b32 [c], 17;\n"
                              "st.param.b64 [d], %w1; st.param.b64 [e], 1;\n"
                              "call __assertfail, (a, b, c, d, e); }"),
      {}, {1}, 64);
  EXPECT_EQ(kinds(result), "trap");
  EXPECT_THAT(result.findings[0].message,
              testing::HasSubstr("'x > 0' failed in a.c, line 17 of a.c"));
}

TEST(SimStack, BlocksEndWhereTheyEnd) {
  std::string block = "alloca.u64 %w0, 8; st.local.u32 [%w0+4], 5;\n";
  std::vector<uint32_t> out;
  EXPECT_EQ(findings("",
                     block + "cvta.local.u64 %w1, %w0; ld.u32 %r0, [%w1+4];\n"
                             "st.global.u32 [%p0], %r0;",
                     &out),
            "");
  EXPECT_EQ(out[0], 5u);
  EXPECT_EQ(findings("", block + "st.local.u32 [%w0+8], 5;"), "out-of-bounds");
  EXPECT_EQ(findings("", "stacksave.u64 %w2;" + block +
                             "stackrestore.u64 %w2; ld.local.u32 %r0, "
                             "[%w0+4];"),
            "out-of-bounds");
  EXPECT_EQ(findings("", block + "ld.local.u32 %r0, [%w0];\n"
                                 "st.global.u32 [%p0], %r0;"),
            "uninitialized");
  // A function's blocks go with it.
  const char *function = ".func (.param .b64 r) f() { .reg .b64 %w;\n"
                         "alloca.u64 %w, 16; st.local.u32 [%w], 1;\n"
                         "st.param.b64 [r], %w; ret; }\n";
  EXPECT_EQ(findings(function, "{ .param .b64 r; call (r), f;\n"
                               "ld.param.b64 %w0, [r]; }\n"
                               "ld.local.u32 %r0, [%w0];"),
            "out-of-bounds");
}

} // namespace
