// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Video instructions against their definition in the ISA text, part by part.
#include "Harness.h"
#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>

using namespace fovea::sim::test;

namespace {

const Words as = {0x00010203, 0x80ff7f01, 0xffffffff, 0x12345678, 0x7fff8000};
const Words bs = {0x03020100, 0x7f80ff02, 0x00000001, 0x87654321, 0x80007fff};
const Words cs = {0, 5, 0xffffffff, 0x11223344, 0x80000000};

int s8(uint64_t x, unsigned i) { return int8_t(x >> (8 * i)); }
int u8(uint64_t x, unsigned i) { return uint8_t(x >> (8 * i)); }
int s16(uint64_t x, unsigned i) { return int16_t(x >> (16 * i)); }
uint32_t u(int64_t x) { return static_cast<uint32_t>(x); }
int64_t s(uint64_t x) { return static_cast<int32_t>(x); }

struct Row {
  const char *body;
  uint32_t (*expected)(uint64_t a, uint64_t b, uint64_t c);
};

/// f(i) in each byte.
template <class F> uint32_t bytes(F f) {
  uint32_t r = 0;
  for (unsigned i = 0; i < 4; ++i)
    r |= uint32_t(uint8_t(f(i))) << (8 * i);
  return r;
}

const Row rows[] = {
    {"vadd.s32.s32.s32.sat %d32, %a32, %b32;",
     [](uint64_t a, uint64_t b, uint64_t) {
       return u(std::clamp<int64_t>(s(a) + s(b), INT32_MIN, INT32_MAX));
     }},
    {"vsub.s32.u32.s32 %d32, %a32.b1, %b32.h1;",
     [](uint64_t a, uint64_t b, uint64_t) { return u(u8(a, 1) - s16(b, 1)); }},
    {"vabsdiff.u32.s32.s32.add %d32, %a32.h0, %b32.b3, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return u(int64_t(c) + std::abs(s16(a, 0) - s8(b, 3)));
     }},
    {"vmin.s32.s32.s32.max %d32, %a32, %b32, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return u(std::max(std::min(s(a), s(b)), s(c)));
     }},
    // A merge saturates to the part that it writes.
    {"vadd.s32.s32.s32.sat %d32.b2, %a32, %b32, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       int64_t t = std::clamp<int64_t>(s(a) + s(b), -128, 127);
       return u((c & 0xff00ffff) | uint64_t(uint8_t(t)) << 16);
     }},
    {"vshl.u32.u32.u32.clamp %d32, %a32.b0, %b32.b0;",
     [](uint64_t a, uint64_t b, uint64_t) {
       return u8(b, 0) > 31 ? 0u : u(int64_t(u8(a, 0)) << u8(b, 0));
     }},
    {"vshr.s32.s32.u32.wrap.add %d32, %a32, %b32, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return u((s(a) >> (b & 31)) + int64_t(c));
     }},
    {"vmad.s32.s32.s32.shr7 %d32, %a32.h1, %b32.b1, -%c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return u((int64_t(s16(a, 1)) * s8(b, 1) - s(c)) >> 7);
     }},
    {"vmad.u32.u32.u32.po %d32, %a32.b0, %b32.b1, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return u(int64_t(u8(a, 0)) * u8(b, 1) + int64_t(c) + 1);
     }},
    {"vset.s32.u32.lt.min %d32, %a32.b3, %b32.b2, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return std::min(u(s8(a, 3) < u8(b, 2)), u(int64_t(c)));
     }},
    {"vavrg4.s32.s32.s32 %d32, %a32, %b32, 0;",
     [](uint64_t a, uint64_t b, uint64_t) {
       return bytes([&](unsigned i) {
         int t = s8(a, i) + s8(b, i);
         return (t >= 0 ? t + 1 : t) >> 1;
       });
     }},
    // Bytes 7, 0, 4, 3 of the pair b:a against 1, 2, 5, 6, the last for byte 0.
    {"vmax4.u32.u32.u32 %d32, %a32.b7043, %b32.b1256, 0;",
     [](uint64_t a, uint64_t b, uint64_t) {
       uint64_t both = b << 32 | a;
       const unsigned x[] = {3, 4, 0, 7}, y[] = {6, 5, 2, 1};
       return bytes([&](unsigned i) {
         return std::max(u8(both, x[i]), u8(both, y[i]));
       });
     }},
    {"vsub4.s32.s32.s32.sat %d32.b20, %a32, %b32, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return bytes([&](unsigned i) {
         return i % 2 ? u8(c, i) : std::clamp(s8(a, i) - s8(b, i), -128, 127);
       });
     }},
    {"vset2.s32.s32.ge.add %d32, %a32, %b32, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return u(int64_t(c) + (s16(a, 0) >= s16(b, 0)) +
                (s16(a, 1) >= s16(b, 1)));
     }},
    {"vset4.u32.u32.ne %d32.b31, %a32, %b32, %c32;",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return bytes(
           [&](unsigned i) { return i % 2 ? u8(a, i) != u8(b, i) : u8(c, i); });
     }},
};

TEST(SimVideo, FollowsTheDefinition) {
  for (const Row &row : rows) {
    Words got = evaluate(row.body, "32", as, bs, cs);
    for (size_t i = 0; i < as.size(); ++i)
      EXPECT_EQ(got[i], row.expected(as[i], bs[i], cs[i]))
          << row.body << " of " << as[i] << ", " << bs[i] << ", " << cs[i];
  }
}

TEST(SimVideo, RefusesUnknownParts) {
  for (const char *body :
       {"vadd.u32.u32.u32 %d32, %a32.b4, %b32;",
        "vadd.u32.u32.u32 %d32, %a32.b10, %b32;",
        "vadd4.u32.u32.u32 %d32, %a32.b8000, %b32, 0;",
        "vadd2.u32.u32.u32 %d32.h2, %a32, %b32, 0;",
        "add.u32 %d32, %a32.b0, %b32;", "add.u32 %d32, -%a32, %b32;"})
    EXPECT_ANY_THROW(evaluate(body, "32", as)) << body;
}

} // namespace
