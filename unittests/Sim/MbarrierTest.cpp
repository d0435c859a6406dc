// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Phases of mbarriers, and what goes wrong with them.
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

const char *const shared = R"(
  .shared .align 8 .b64 bar;
  .shared .align 16 .b8 tile[64];
)";

/// One thread per block of threads; out[0..] are words of the first buffer.
std::vector<uint32_t> run(const std::string &body, std::string &found,
                          uint32_t threads = 1) {
  std::vector<uint32_t> out;
  LaunchResult result = launch(moduleOf(body, shared, "sm_90a"), {1, 1, 1},
                               {threads, 1, 1}, 256, &out);
  found = kinds(result);
  return out;
}

std::string store(unsigned word, const char *pred) {
  return std::string("  selp.u32 %r9, 1, 0, ") + pred +
         ";\n  st.global.u32 [%p0+" + std::to_string(4 * word) + "], %r9;\n";
}

TEST(Mbarrier, CountsArrivalsByPhase) {
  std::string found;
  auto out = run("  mbarrier.init.shared.b64 [bar], 2;\n"
                 "  mbarrier.arrive.shared.b64 %w0, [bar];\n"
                 "  mbarrier.test_wait.shared.b64 %q0, [bar], %w0;\n" +
                     store(0, "%q0") +
                     "  mbarrier.arrive.shared.b64 %w1, [bar];\n"
                     "  mbarrier.test_wait.shared.b64 %q0, [bar], %w0;\n" +
                     store(1, "%q0") +
                     "  mbarrier.test_wait.parity.shared.b64 %q0, [bar], 0;\n" +
                     store(2, "%q0") +
                     "  mbarrier.test_wait.parity.shared.b64 %q0, [bar], 1;\n" +
                     store(3, "%q0"),
                 found);
  EXPECT_EQ(found, "");
  EXPECT_EQ(out[0], 0u); // one of two has arrived
  EXPECT_EQ(out[1], 1u);
  EXPECT_EQ(out[2], 1u); // phase 0 is over
  EXPECT_EQ(out[3], 0u); // phase 1 is not
}

TEST(Mbarrier, LetsBytesComeBeforeTheyAreExpected) {
  std::string found;
  auto out =
      run("  mbarrier.init.shared.b64 [bar], 1;\n"
          "  mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [bar], 48;\n"
          "  mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 64;\n"
          "  mbarrier.test_wait.parity.shared.b64 %q0, [bar], 0;\n" +
              store(0, "%q0") +
              "  mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [bar], 16;\n"
              "  mbarrier.test_wait.parity.shared.b64 %q0, [bar], 0;\n" +
              store(1, "%q0"),
          found);
  EXPECT_EQ(found, "");
  EXPECT_EQ(out[0], 0u);
  EXPECT_EQ(out[1], 1u);
}

TEST(Mbarrier, DropsAnArrivalFromLaterPhases) {
  std::string found;
  auto out = run("  mbarrier.init.shared.b64 [bar], 2;\n"
                 "  mbarrier.arrive_drop.shared.b64 %w0, [bar];\n"
                 "  mbarrier.arrive.shared.b64 %w0, [bar];\n"
                 "  mbarrier.arrive.shared.b64 %w0, [bar];\n"
                 "  mbarrier.test_wait.shared.b64 %q0, [bar], %w0;\n" +
                     store(0, "%q0"),
                 found);
  EXPECT_EQ(found, "");
  EXPECT_EQ(out[0], 1u); // the second phase needed one arrival only
}

const std::string initThen = "  setp.eq.u32 %q1, %t, 0;\n"
                             "  @%q1 mbarrier.init.shared.b64 [bar], 64;\n";
const std::string arriveAndWait =
    "  mbarrier.arrive.shared.b64 %w0, [bar];\n"
    "L: mbarrier.try_wait.shared.b64 %q0, [bar], %w0;\n"
    "  @!%q0 bra L;\n";

const std::string exchange = "  shl.b32 %r0, %t, 0;\n"
                             "  mov.u32 %r1, tile;\n"
                             "  add.u32 %r2, %r1, %t;\n"
                             "  st.shared.u8 [%r2], %t;\n";
const std::string readBack = "  sub.u32 %r3, 63, %t;\n"
                             "  add.u32 %r4, %r1, %r3;\n"
                             "  ld.shared.u8 %r5, [%r4];\n"
                             "  mul.wide.u32 %w1, %t, 4;\n"
                             "  add.u64 %w2, %p0, %w1;\n"
                             "  st.global.u32 [%w2], %r5;\n";

TEST(Mbarrier, OrdersTheThreadsThatWait) {
  std::string found;
  auto out =
      run(initThen + "  bar.sync 0;\n" + exchange + arriveAndWait + readBack,
          found, 64);
  EXPECT_EQ(found, "");
  EXPECT_EQ(out[3], 60u);
  // Without the wait nothing orders the loads after the stores.
  run(initThen + "  bar.sync 0;\n" + exchange +
          "  mbarrier.arrive.shared.b64 %w0, [bar];\n" + readBack,
      found, 64);
  EXPECT_NE(found.find("race"), std::string::npos) << found;
}

TEST(Mbarrier, RelaxedOperationsNeedFences) {
  const std::string arrive =
      "  mbarrier.arrive.relaxed.cta.shared.b64 %w0, [bar];\n";
  const std::string wait = "L: mbarrier.try_wait.relaxed.cta.shared.b64 %q0, "
                           "[bar], %w0;\n  @!%q0 bra L;\n";
  const std::string fence = "  fence.acq_rel.cta;\n";
  const std::string before = initThen + "  bar.sync 0;\n" + exchange;
  std::string found;
  run(before + fence + arrive + wait + fence + readBack, found, 64);
  EXPECT_EQ(found, "");
  run(before + arrive + wait + fence + readBack, found, 64);
  EXPECT_NE(found.find("race"), std::string::npos) << found;
  run(before + fence + arrive + wait + readBack, found, 64);
  EXPECT_NE(found.find("race"), std::string::npos) << found;
}

TEST(Mbarrier, MustBeInitialisedBefore) {
  std::string found;
  run(initThen + "  bar.sync 0;\n" + arriveAndWait, found, 64);
  EXPECT_EQ(found, "");
  run(initThen + arriveAndWait, found, 64);
  EXPECT_NE(found.find("race"), std::string::npos) << found;
  run("  mbarrier.arrive.shared.b64 %w0, [bar];\n", found);
  EXPECT_EQ(found, "uninitialized");
  run("  mbarrier.init.shared.b64 [bar], 2;\n  mov.u64 %w0, 5;\n"
      "  st.shared.u64 [bar], %w0;\n"
      "  mbarrier.arrive.shared.b64 %w0, [bar];\n",
      found);
  EXPECT_EQ(found, "uninitialized");
}

TEST(Mbarrier, NobodyComes) {
  std::string found;
  run("  mbarrier.init.shared.b64 [bar], 2;\n" + arriveAndWait, found);
  EXPECT_EQ(found, "deadlock");
}

TEST(BulkCopy, IsAwaitedByItsBarrier) {
  std::string found;
  std::string copy =
      "  mov.u32 %r7, 77;\n  st.global.u32 [%p1], %r7;\n  fence.proxy.async;\n"
      "  mbarrier.init.shared.b64 [bar], 1;\n"
      "  mbarrier.arrive.expect_tx.shared::cta.b64 %w0, [bar], 16;\n"
      "  mov.u32 %r1, tile;\n  mov.u32 %r2, bar;\n"
      "  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%r1], [%p1], 16, [%r2];\n";
  std::string wait = "L: mbarrier.try_wait.shared.b64 %q0, [bar], %w0;\n"
                     "  @!%q0 bra L;\n";
  std::string read = "  ld.shared.u32 %r3, [tile];\n"
                     "  st.global.u32 [%p0], %r3;\n";
  auto out = run(copy + wait + read, found);
  EXPECT_EQ(found, "");
  EXPECT_EQ(out[0], 77u);
  run(copy + read + wait, found);
  EXPECT_NE(found.find("race"), std::string::npos) << found;
  // A wait that is not repeated may have come too early.
  run(copy + "  mbarrier.try_wait.shared.b64 %q0, [bar], %w0;\n" + read, found);
  EXPECT_NE(found.find("race"), std::string::npos) << found;
}

TEST(StAsync, CountsItsBytesAtTheBarrier) {
  std::string found;
  std::string start =
      "  mbarrier.init.shared.b64 [bar], 1;\n"
      "  mbarrier.arrive.expect_tx.shared::cta.b64 %w0, [bar], 8;\n"
      "  mov.u32 %r1, tile;\n  mov.u32 %r2, bar;\n"
      "  mov.u32 %r3, 5;\n  mov.u32 %r4, 6;\n"
      "  st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v2.u32 "
      "[%r1+16], {%r3, %r4}, [%r2];\n";
  std::string wait = "L: mbarrier.try_wait.shared.b64 %q0, [bar], %w0;\n"
                     "  @!%q0 bra L;\n";
  std::string read = "  ld.shared.v2.u32 {%r5, %r6}, [tile+16];\n"
                     "  st.global.v2.u32 [%p0], {%r5, %r6};\n";
  auto out = run(start + wait + read, found);
  EXPECT_EQ(found, "");
  EXPECT_EQ(out[0], 5u);
  EXPECT_EQ(out[1], 6u);
  run(start + read + wait, found);
  EXPECT_NE(found.find("race"), std::string::npos) << found;
}

/// A thread that ends the object while another warp may still wait for it.
TEST(Mbarrier, EndsAfterTheWaitsOfAllWarps) {
  auto body = [](const char *sync) {
    return std::string("  setp.eq.u32 %q1, %t, 0;\n"
                       "  @%q1 mbarrier.init.shared.b64 [bar], 1;\n"
                       "  bar.sync 0;\n"
                       "  @%q1 mbarrier.arrive.shared.b64 _, [bar];\n"
                       "W: mbarrier.try_wait.parity.shared.b64 %q0, [bar], 0;\n"
                       "  @!%q0 bra W;\n") +
           sync + "  @%q1 mbarrier.inval.shared.b64 [bar];\n";
  };
  for (uint64_t seed : {0, 1, 2, 3}) {
    auto found = [&](const char *sync) {
      return kinds(launch(moduleOf(body(sync), shared, "sm_90a"), {1, 1, 1},
                          {64, 1, 1}, 256, nullptr, seed));
    };
    EXPECT_EQ(found("  bar.sync 0;\n"), "");
    EXPECT_EQ(found("").substr(0, 4), "race");
  }
}

/// The arrival of copies waits for those before it, not for a later one.
TEST(Mbarrier, CopiesAfterTheirArrivalStayInFlight) {
  auto body = [](const char *last) {
    return std::string("  mbarrier.init.shared.b64 [bar], 1;\n"
                       "  mov.u32 %r1, tile;\n"
                       "  cp.async.ca.shared.global [%r1], [%p1], 4;\n"
                       "  cp.async.mbarrier.arrive.noinc.shared.b64 [bar];\n"
                       "  cp.async.ca.shared.global [%r1+4], [%p1], 4;\n"
                       "W: mbarrier.try_wait.parity.shared.b64 %q0, [bar], 0;\n"
                       "  @!%q0 bra W;\n") +
           last + "  st.global.u32 [%p0], %r3;\n";
  };
  std::string found;
  run(body("  ld.shared.u32 %r3, [tile];\n"), found);
  EXPECT_EQ(found, "");
  run(body("  ld.shared.u32 %r3, [tile+4];\n"), found);
  EXPECT_NE(found.find("race"), std::string::npos) << found;
}

} // namespace
