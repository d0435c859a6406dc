// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensor maps that a kernel makes itself, reductions through them, and the
// fences that they need.
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

/// The tensor: the first buffer, 12 rows of 16 words. The box: 4 rows of 8.
constexpr unsigned rows = 12, cols = 16, boxRows = 4, boxCols = 8;

const char *const variables = R"(
  .shared .align 128 .b8 smap[128];
  .shared .align 128 .b8 tile[128];
  .shared .align 8 .b64 bar;
)";

std::string replace(const std::string &field, const std::string &operands,
                    const std::string &type = "b32") {
  return "  @%q0 tensormap.replace.tile." + field + ".shared::cta.b1024." +
         type + " [smap], " + operands + ";\n";
}

const char *const zeros = R"(
  shl.b32 %r0, %t, 2;
  mov.u32 %r1, smap;
  add.u32 %r1, %r1, %r0;
  st.shared.u32 [%r1], 0;
  bar.warp.sync -1;
)";
const char *const sync = "  bar.warp.sync -1;\n";
const char *const copyFence =
    "  tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release."
    "gpu.sync.aligned [%p1], [smap], 128;\n";
const char *const acquire =
    "  fence.proxy.tensormap::generic.acquire.gpu [%p1], 128;\n";

/// The fields of the map, by lane 0; the element is one of section 9.7.9.28.
std::string fields(unsigned element, unsigned pitch = 4 * cols) {
  return "  setp.eq.u32 %q0, %t, 0;\n"
         "  mov.u64 %w0, " +
         std::to_string(pitch) + ";\n" +
         replace("global_address", "%p0", "b64") + replace("rank", "1") +
         replace("box_dim", "0, 8") + replace("box_dim", "1, 4") +
         replace("global_dim", "0, 16") + replace("global_dim", "1, 12") +
         replace("global_stride", "0, %w0", "b64") +
         replace("element_stride", "0, 1") + replace("element_stride", "1, 1") +
         replace("elemtype", std::to_string(element)) +
         replace("interleave_layout", "0") + replace("swizzle_mode", "0") +
         replace("fill_mode", "0");
}

/// Lane t writes word(t) to the tile, which the asynchronous proxy may then
/// read.
std::string fillTile(const std::string &value) {
  return "  mov.u32 %r2, tile;\n"
         "  add.u32 %r2, %r2, %r0;\n" +
         value +
         "  st.shared.u32 [%r2], %r3;\n"
         "  fence.proxy.async;\n"
         "  bar.warp.sync -1;\n";
}

std::string reduce(const std::string &op, int x, int y) {
  return "  @%q0 cp.reduce.async.bulk.tensor.2d.global.shared::cta." + op +
         ".bulk_group [%p1, {" + std::to_string(x) + ", " + std::to_string(y) +
         "}], [tile];\n"
         "  cp.async.bulk.commit_group;\n";
}

const char *const wait = "  cp.async.bulk.wait_group 0;\n";

std::vector<uint32_t> run(const std::string &body, std::string &found) {
  std::vector<uint32_t> out;
  LaunchResult result = launch(moduleOf(body, variables, "sm_90a"), {1, 1, 1},
                               {32, 1, 1}, 1024, &out);
  found = kinds(result);
  return out;
}

constexpr unsigned u32 = 2, s32 = 3, f32 = 7;

/// Calls f(row and column in the box, word of the tensor) for what of the box
/// at (x, y) lies inside.
template <class F> void forInside(int x, int y, F f) {
  for (int r = 0; r < int(boxRows); ++r)
    for (int c = 0; c < int(boxCols); ++c)
      if (y + r >= 0 && y + r < int(rows) && x + c >= 0 && x + c < int(cols))
        f(r, c, (y + r) * int(cols) + x + c);
}

TEST(TensorMapOps, LoadsThroughAMapMadeOnTheDevice) {
  // Words 0.. hold 100 + their number; the box at (12, 10) hangs over.
  std::string fill;
  for (unsigned i = 0; i < rows * cols; i += 32)
    fill += "  add.u32 %r4, %t, " + std::to_string(100 + i) +
            ";\n  mul.wide.u32 %w1, %t, 4;\n  add.u64 %w1, %w1, %p0;\n"
            "  st.global.u32 [%w1+" +
            std::to_string(4 * i) + "], %r4;\n";
  std::string found;
  auto out =
      run(fill + zeros + fields(u32) + sync + copyFence + acquire +
              "  fence.proxy.async;\n"
              "  @%q0 mbarrier.init.shared.b64 [bar], 1;\n"
              "  bar.warp.sync -1;\n"
              "  @%q0 mbarrier.arrive.expect_tx.shared.b64 _, [bar], 128;\n"
              "  @%q0 cp.async.bulk.tensor.2d.shared::cluster.global.tile."
              "mbarrier::complete_tx::bytes [tile], [%p1, {12, 10}], [bar];\n"
              "W: mbarrier.try_wait.parity.shared.b64 %q1, [bar], 0;\n"
              "  @!%q1 bra W;\n"
              "  mov.u32 %r2, tile;\n"
              "  add.u32 %r2, %r2, %r0;\n"
              "  ld.shared.u32 %r3, [%r2];\n"
              "  st.global.u32 [%w1+768], %r3;\n",
          found);
  EXPECT_EQ(found, "");
  std::vector<uint32_t> expected(32, 0);
  forInside(12, 10, [&](int r, int c, int word) {
    expected[static_cast<size_t>(r) * boxCols + static_cast<size_t>(c)] =
        100 + static_cast<uint32_t>(word);
  });
  EXPECT_EQ(std::vector<uint32_t>(out.begin() + 192, out.begin() + 224),
            expected);
}

TEST(TensorMapOps, AddsToWhatLiesInside) {
  std::string found;
  auto out =
      run(zeros + fields(f32) + sync + copyFence + acquire +
              fillTile("  cvt.rn.f32.u32 %f0, %t;\n  mov.b32 %r3, %f0;\n") +
              reduce("add", 12, 10) + reduce("add", 12, 10) + wait,
          found);
  EXPECT_EQ(found, "");
  std::vector<uint32_t> expected(256, 0);
  forInside(12, 10, [&](int r, int c, int word) {
    expected[static_cast<size_t>(word)] = std::bit_cast<uint32_t>(
        2.0f * float(r * int(boxCols) + c)); // twice the lane's number
  });
  EXPECT_EQ(out, expected);
}

// The address of a box is a multiple of 16 bytes (ISA text, section 5.5.3.1).
TEST(TensorMapOps, WantAlignedBoxes) {
  std::string found, before = zeros + fields(u32) + sync + copyFence + acquire +
                              fillTile("  mov.u32 %r3, 1;\n");
  run(before + reduce("add", 4, 3) + wait, found);
  EXPECT_EQ(found, "");
  run(before + reduce("add", 3, 3) + wait, found);
  EXPECT_EQ(found, "misaligned");
}

// It may end outside of the tensor, but not start before it if it is written.
TEST(TensorMapOps, WriteFromTheStartOn) {
  std::string found, before = zeros + fields(u32) + sync + copyFence + acquire +
                              fillTile("  mov.u32 %r3, 1;\n");
  for (int x : {-4, 0})
    for (int y : {-1, 0}) {
      auto out = run(before + reduce("add", x, y) + wait, found);
      EXPECT_EQ(found, x < 0 || y < 0 ? "out-of-bounds" : "") << x << " " << y;
      EXPECT_EQ(out[0], x < 0 || y < 0 ? 0u : 1u);
    }
}

TEST(TensorMapOps, ReducesByTheMapsElementType) {
  // Lane t holds t - 16, as signed and as unsigned.
  std::string found, value = "  sub.u32 %r3, %t, 16;\n";
  auto make = [&](unsigned type, const char *op) {
    return run(zeros + fields(type) + sync + copyFence + acquire +
                   fillTile(value) + reduce(op, 0, 0) + wait,
               found);
  };
  auto expect = [&](const std::vector<uint32_t> &out, auto value) {
    EXPECT_EQ(found, "");
    forInside(0, 0, [&](int r, int c, int word) {
      EXPECT_EQ(out[static_cast<size_t>(word)],
                uint32_t(value(r * int(boxCols) + c - 16)));
    });
  };
  expect(make(s32, "min"), [](int v) { return std::min(v, 0); });
  expect(make(s32, "max"), [](int v) { return std::max(v, 0); });
  expect(make(u32, "max"), [](int v) { return v; });
  expect(make(u32, "min"), [](int) { return 0; });
  expect(make(u32, "or"), [](int v) { return v; });
  expect(make(u32, "and"), [](int) { return 0; });
  // 0 >= 0 wraps to 0, else it counts; 0 is replaced by the limit.
  expect(make(u32, "inc"), [](int v) { return v == 0 ? 0 : 1; });
  expect(make(u32, "dec"), [](int v) { return v; });
}

TEST(TensorMapOps, NeedTheirFences) {
  std::string found;
  std::string rest = fillTile("  mov.u32 %r3, 1;\n") + reduce("add", 0, 0);
  run(zeros + fields(u32) + sync + copyFence + rest + wait, found);
  EXPECT_EQ(found, "race"); // not acquired
  run(zeros + fields(u32) + sync + copyFence +
          "  fence.proxy.tensormap::generic.acquire.gpu [%p1+128], 128;\n" +
          rest + wait,
      found);
  EXPECT_EQ(found, "race"); // another map acquired
  run(zeros + fields(u32) + copyFence + acquire + rest + wait, found);
  EXPECT_EQ(found, "race"); // lanes copy what lane 0 may still change
  // A map changed in place is released by a fence of its own.
  std::string inPlace =
      zeros + fields(u32) + sync + copyFence + acquire +
      "  @%q0 tensormap.replace.tile.rank.global.b1024.b32 [%p1], 1;\n";
  std::string release = "  fence.proxy.tensormap::generic.release.gpu;\n";
  run(inPlace + release + acquire + rest + wait, found);
  EXPECT_EQ(found, "");
  run(inPlace + acquire + rest + wait, found);
  EXPECT_EQ(found, "race");
  run(inPlace + release + rest + wait, found);
  EXPECT_EQ(found, "race");
}

TEST(TensorMapOps, RefuseWhatIsNoMap) {
  std::string found;
  std::string rest =
      fillTile("  mov.u32 %r3, 1;\n") + reduce("add", 0, 0) + wait;
  run(zeros + fields(u32, 72) + sync + copyFence + acquire + rest, found);
  EXPECT_EQ(found, "misaligned"); // the pitch is no multiple of 16
  run(std::string(zeros) + "  @!%q0 st.shared.u32 [%r1], 7;\n" + sync +
          fields(u32) + sync + copyFence + acquire + rest,
      found);
  EXPECT_NE(found.find("uninitialized"), std::string::npos) << found;
}

TEST(TensorMapOps, ReductionsAreAtomicAndTakeTime) {
  std::string found, start = zeros + fields(u32) + sync + copyFence + acquire +
                             fillTile("  mov.u32 %r3, 1;\n");
  std::string read = "  @%q0 ld.global.u32 %r5, [%p0];\n";
  run(start + reduce("add", 0, 0) + wait + read, found);
  EXPECT_EQ(found, "");
  run(start + reduce("add", 0, 0) + read + wait, found);
  EXPECT_EQ(found, "race");
  run(start + reduce("add", 0, 0) + "  red.global.add.u32 [%p0], 1;\n" + wait,
      found);
  EXPECT_EQ(found, "");
}

TEST(TensorMapOps, EqualStoresAreNoRace) {
  std::string found;
  std::string start = zeros + fields(u32) + sync + copyFence + acquire;
  std::string store =
      "  @%q0 cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group "
      "[%p1, {0, 0}], [tile];\n"
      "  cp.async.bulk.commit_group;\n";
  run(start + fillTile("  mov.u32 %r3, %t;\n") + store + store + wait, found);
  EXPECT_EQ(found, "");
  // The tile changes in between, once it has been read.
  run(start + fillTile("  mov.u32 %r3, %t;\n") + store +
          "  cp.async.bulk.wait_group.read 0;\n" + sync +
          fillTile("  add.u32 %r3, %t, 1;\n") + store + wait,
      found);
  EXPECT_EQ(found, "race");
}

} // namespace
