// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mma forms that no kernel of the corpus has: four products of 8 x 8 x 4, and
// f64 by rounding mode. Fragments are laid out here by the ISA text's formulas.
#include "Harness.h"
#include <cstring>
#include <gtest/gtest.h>

using namespace fovea::sim;
using namespace fovea::sim::test;

namespace {

template <class To, class From> To bitsOf(From value) {
  To bits;
  static_assert(sizeof bits == sizeof value);
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

std::string list(const char *name, unsigned n) {
  std::string text = "{";
  for (unsigned i = 0; i < n; ++i)
    text += (i ? ", %" : "%") + std::string(name) + std::to_string(i);
  return text + "}";
}

/// Loads `in` words a lane into %x, executes, stores `out` words of %y.
std::string wordsKernel(unsigned in, unsigned out, const std::string &body) {
  std::string text = ".reg .b64 %at; .reg .b32 %x<12>, %y<8>;\n"
                     "mul.wide.u32 %at, %t, " +
                     std::to_string(4 * in) + "; add.u64 %at, %at, %p1;\n";
  for (unsigned i = 0; i < in; ++i)
    text += "ld.global.b32 %x" + std::to_string(i) + ", [%at+" +
            std::to_string(4 * i) + "];\n";
  text += body + "mul.wide.u32 %at, %t, " + std::to_string(4 * out) +
          "; add.u64 %at, %at, %p0;\n";
  for (unsigned i = 0; i < out; ++i)
    text += "st.global.b32 [%at+" + std::to_string(4 * i) + "], %y" +
            std::to_string(i) + ";\n";
  return moduleOf(text);
}

std::vector<uint32_t> runWords(const std::string &module, unsigned out,
                               const std::vector<uint32_t> &words) {
  Device device;
  auto loaded = device.load(module);
  uint64_t params[2] = {device.allocate(32 * 4 * out),
                        device.allocate(4 * words.size())};
  device.copyIn(params[1], words.data(), 4 * words.size());
  LaunchConfig config;
  config.block = {32, 1, 1};
  LaunchResult result = device.launch(*loaded, "k", config, params, 16);
  EXPECT_EQ(kinds(result), "");
  std::vector<uint32_t> got(32 * out);
  device.copyOut(got.data(), params[0], 4 * got.size());
  return got;
}

/// ISA text 9.7.14.5.1, both layouts of A and B, f32 accumulators.
void checkQuadPairs(bool aRow, bool bRow) {
  auto a = [](unsigned p, unsigned i, unsigned k) {
    return float(int(p * 5 + i * 3 + k * 7) % 11 - 5);
  };
  auto b = [](unsigned p, unsigned k, unsigned j) {
    return float(int(p * 3 + k * 5 + j * 2) % 9 - 4);
  };
  auto half = [](float x, unsigned shift) {
    return uint32_t(bitsOf<uint16_t>(static_cast<_Float16>(x))) << shift;
  };
  auto spotOfC = [](unsigned lane, unsigned i, unsigned &row, unsigned &col) {
    row = (lane & 1) + (i & 2) + (lane < 16 ? 0 : 4);
    col = (i & 4) + (lane & 2) + (i & 1);
  };
  std::vector<uint32_t> words(32 * 12);
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned p = lane % 16 / 4, low = lane % 4, up = lane < 16 ? 0 : 4;
    uint32_t *w = &words[lane * 12];
    for (unsigned i = 0; i < 4; ++i) {
      w[i / 2] |=
          half(aRow ? a(p, low + up, i) : a(p, i + up, low), 16 * (i % 2));
      w[2 + i / 2] |=
          half(bRow ? b(p, low, i + up) : b(p, i, low + up), 16 * (i % 2));
    }
    for (unsigned i = 0; i < 8; ++i) {
      unsigned row, col;
      spotOfC(lane, i, row, col);
      w[4 + i] = bitsOf<uint32_t>(float(row * 8 + col));
    }
  }
  std::string layout =
      std::string(aRow ? ".row" : ".col") + (bRow ? ".row" : ".col");
  std::vector<uint32_t> got = runWords(
      wordsKernel(12, 8,
                  "mma.sync.aligned.m8n8k4" + layout + ".f32.f16.f16.f32 " +
                      list("y", 8) +
                      ", {%x0, %x1}, {%x2, %x3}, {%x4, %x5, %x6, %x7, %x8,"
                      " %x9, %x10, %x11};\n"),
      8, words);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 8; ++i) {
      unsigned p = lane % 16 / 4, row, col;
      spotOfC(lane, i, row, col);
      float want = float(row * 8 + col);
      for (unsigned k = 0; k < 4; ++k)
        want += a(p, row, k) * b(p, k, col);
      EXPECT_EQ(bitsOf<float>(got[lane * 8 + i]), want)
          << layout << " lane " << lane << " element " << i;
    }
}

TEST(SimMma, FourProductsAtOnce) {
  for (bool aRow : {false, true})
    for (bool bRow : {false, true})
      checkQuadPairs(aRow, bRow);
}

/// A row of A times a column of B is 1 * 1 + 2^-60: each mode rounds it
/// differently, and differently where the sum is negative.
TEST(SimMma, RoundsDoublesAsAsked) {
  auto product = [](const std::string &mode, double sign) {
    std::string body =
        "mov.f64 %w0, 1.0; mov.b64 %w1, " +
        std::to_string(bitsOf<uint64_t>(sign)) + "; mov.b64 %w2, " +
        std::to_string(bitsOf<uint64_t>(sign * 0x1p-60)) +
        ";\nand.b32 %r0, %t, 3; setp.eq.u32 %q0, %r0, 0;\n"
        "selp.b64 %w1, %w1, %w2, %q0; setp.gt.u32 %q1, %r0, 1;\n"
        "selp.b64 %w1, 0, %w1, %q1; mov.u64 %w3, 0;\n"
        "mma.sync.aligned.m8n8k4.row.col" +
        mode +
        ".f64.f64.f64.f64 {%w4, %w5}, {%w0}, {%w1}, {%w3, %w3};\n"
        "mul.wide.u32 %w6, %t, 8; add.u64 %w6, %p0, %w6;\n"
        "st.global.u64 [%w6], %w4;";
    std::vector<uint32_t> out;
    EXPECT_EQ(kinds(launch(moduleOf(body), {}, {32}, 256, &out)), "");
    return bitsOf<double>(uint64_t(out[1]) << 32 | out[0]);
  };
  const double next = 1 + 0x1p-52;
  EXPECT_EQ(product("", 1), 1);
  EXPECT_EQ(product(".rn", 1), 1);
  EXPECT_EQ(product(".rz", 1), 1);
  EXPECT_EQ(product(".rm", 1), 1);
  EXPECT_EQ(product(".rp", 1), next);
  EXPECT_EQ(product(".rm", -1), -next);
  EXPECT_EQ(product(".rp", -1), -1);
}

} // namespace
