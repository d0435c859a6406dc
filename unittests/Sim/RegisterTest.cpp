// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The registers of a block are what .maxnreg gives its threads; setmaxnreg
// moves them between warps and waits where there are none.
#include "Harness.h"
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

std::string withMaxNReg(std::string text, int registers) {
  text.insert(text.find(")\n{") + 2,
              ".maxnreg " + std::to_string(registers) + "\n");
  return text;
}

/// Warp 0 gives, warp 1 takes.
std::string exchange(const std::string &give, const std::string &take) {
  return withMaxNReg(moduleOf("setp.lt.u32 %q0, %t, 32; @!%q0 bra TAKE;\n" +
                                  give + "bra END;\nTAKE:\n" + take + "END:",
                              "", "sm_90a"),
                     64);
}

TEST(SimRegisters, SetMaxNRegTakesWhatOthersGive) {
  const std::string give = "setmaxnreg.dec.sync.aligned.u32 40;\n",
                    take = "setmaxnreg.inc.sync.aligned.u32 88;\n",
                    more = "setmaxnreg.inc.sync.aligned.u32 96;\n";
  auto run = [](const std::string &text) {
    return kinds(launch(text, {1}, {64}, 256));
  };
  EXPECT_EQ(run(exchange(give, take)), "");
  EXPECT_EQ(run(exchange("", take)), "deadlock");
  EXPECT_EQ(run(exchange(give, more)), "deadlock");
  // Giving twice, in two steps.
  EXPECT_EQ(run(exchange("setmaxnreg.dec.sync.aligned.u32 48;\n"
                         "setmaxnreg.dec.sync.aligned.u32 32;\n",
                         more)),
            "");
}

TEST(SimRegisters, ABlockMustFitTheMultiprocessor) {
  auto run = [](int registers) {
    return kinds(
        launch(withMaxNReg(moduleOf(""), registers), {1}, {1024}, 256));
  };
  EXPECT_EQ(run(64), "");
  EXPECT_THROW(run(65), std::exception);
}

} // namespace
