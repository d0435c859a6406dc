// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integer instructions against 128-bit host arithmetic and bit by bit
// definitions, on edge values first.
#include "Harness.h"
#include <bit>
#include <gtest/gtest.h>

using namespace fovea::sim::test;

namespace {

using I128 = __int128;
using U128 = unsigned __int128;

const Words edges32 = {0,          1,          2,          0x7fffffff,
                       0x80000000, 0xffffffff, 0xfffffffe, 0x12345678,
                       0x00ff00ff, 31,         32,         33};

/// All pairs of the edges, with a third operand that varies.
void pairs(const Words &edges, Words &a, Words &b, Words &c) {
  for (size_t i = 0; i < edges.size(); ++i)
    for (size_t j = 0; j < edges.size(); ++j) {
      a.push_back(edges[i]);
      b.push_back(edges[j]);
      c.push_back(edges[(3 * i + 5 * j + 1) % edges.size()]);
    }
}

int32_t s(uint64_t x) { return static_cast<int32_t>(x); }
uint32_t u(uint64_t x) { return static_cast<uint32_t>(x); }
uint64_t clamp32(I128 x) {
  return u(static_cast<uint64_t>(x > INT32_MAX   ? INT32_MAX
                                 : x < INT32_MIN ? INT32_MIN
                                                 : x));
}

struct Row {
  const char *name;
  const char *body;
  const char *result;
  uint64_t (*expected)(uint64_t a, uint64_t b, uint64_t c);
};

/// A bit field by its definition, one bit at a time (ISA text, bfe).
uint64_t fieldOf(uint64_t a, unsigned pos, unsigned len, bool isSigned,
                 unsigned width) {
  uint64_t r = 0;
  pos &= 0xff;
  len &= 0xff;
  unsigned top = std::min(pos + len - 1, width - 1);
  bool sign = isSigned && len && ((a >> top) & 1);
  for (unsigned i = 0; i < width; ++i) {
    bool bit = i < len && pos + i < width ? (a >> (pos + i)) & 1 : sign;
    r |= uint64_t(bit) << i;
  }
  return r;
}

const Row rows32[] = {
    {"add", "add.s32 %d32, %a32, %b32;", "32",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t { return u(a + b); }},
    {"add.sat", "add.sat.s32 %d32, %a32, %b32;", "32",
     [](uint64_t a, uint64_t b, uint64_t) {
       return clamp32(I128(s(a)) + s(b));
     }},
    {"sub.sat", "sub.sat.s32 %d32, %a32, %b32;", "32",
     [](uint64_t a, uint64_t b, uint64_t) {
       return clamp32(I128(s(a)) - s(b));
     }},
    {"mul.hi.s32", "mul.hi.s32 %d32, %a32, %b32;", "32",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t {
       return u(static_cast<uint64_t>((int64_t(s(a)) * s(b)) >> 32));
     }},
    {"mul.wide.u32", "mul.wide.u32 %d, %a32, %b32;", "64",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t {
       return uint64_t(u(a)) * u(b);
     }},
    {"mad.wide.s32", "mad.wide.s32 %d, %a32, %b32, %c;", "64",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       return static_cast<uint64_t>(int64_t(s(a)) * s(b)) + c;
     }},
    {"mad.hi.u32", "mad.hi.u32 %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       return u((uint64_t(u(a)) * u(b) >> 32) + c);
     }},
    {"sad", "sad.s32 %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       I128 d = I128(s(a)) - s(b);
       return u(static_cast<uint64_t>(d < 0 ? -d : d) + c);
     }},
    {"bfe.u32", "bfe.u32 %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return fieldOf(u(a), u(b), u(c), false, 32);
     }},
    {"bfe.s32", "bfe.s32 %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) {
       return fieldOf(u(a), u(b), u(c), true, 32);
     }},
    {"shl clamps", "shl.b32 %d32, %a32, %b32;", "32",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t {
       return b > 31 ? 0 : u(a << b);
     }},
    {"shr.s32 clamps", "shr.s32 %d32, %a32, %b32;", "32",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t {
       return u(static_cast<uint64_t>(int64_t(s(a)) >> (u(b) > 31 ? 31 : b)));
     }},
    {"shf.l.wrap", "shf.l.wrap.b32 %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       return u((uint64_t(u(b)) << 32 | u(a)) << (c & 31) >> 32);
     }},
    {"shf.r.clamp", "shf.r.clamp.b32 %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       return u((uint64_t(u(b)) << 32 | u(a)) >> (u(c) > 32 ? 32 : c));
     }},
    {"lop3 majority", "lop3.b32 %d32, %a32, %b32, %c32, 0xe8;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       return u((a & b) | (a & c) | (b & c));
     }},
    {"clz", "clz.b32 %d32, %a32;", "32",
     [](uint64_t a, uint64_t, uint64_t) -> uint64_t {
       unsigned n = 0;
       while (n < 32 && !((a >> (31 - n)) & 1))
         ++n;
       return n;
     }},
    {"bfind.s32", "bfind.s32 %d32, %a32;", "32",
     [](uint64_t a, uint64_t, uint64_t) -> uint64_t {
       for (unsigned i = 32; i-- > 0;)
         if (((a >> i) & 1) != ((a >> 31) & 1))
           return i;
       return 0xffffffff;
     }},
    {"prmt sign", "prmt.b32 %d32, %a32, %b32, 0xf81c;", "32",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t {
       // Selectors from the lowest: c, 1, 8, f; bit 3 repeats a sign.
       auto byte = [&](unsigned i) {
         return u((uint64_t(u(b)) << 32 | u(a)) >> (8 * i)) & 0xff;
       };
       auto sign = [&](unsigned i) { return byte(i) & 0x80 ? 0xffu : 0u; };
       return sign(4) | byte(1) << 8 | sign(0) << 16 | sign(7) << 24;
     }},
    {"dp4a", "dp4a.s32.u32 %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       int64_t sum = s(c);
       for (unsigned i = 0; i < 4; ++i)
         sum += int64_t(static_cast<int8_t>(a >> (8 * i))) *
                static_cast<uint8_t>(b >> (8 * i));
       return u(static_cast<uint64_t>(sum));
     }},
    {"setp.and", "setp.lt.and.s32 %p, %a32, %b32, %q;", "p",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t {
       return s(a) < s(b) && (a & 1);
     }},
    {"slct", "slct.u32.s32 %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       return s(c) >= 0 ? a : b;
     }},
    {"vabsdiff4", "vabsdiff4.u32.u32.u32.add %d32, %a32, %b32, %c32;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       for (unsigned i = 0; i < 4; ++i) {
         int x = int(a >> (8 * i) & 0xff), y = int(b >> (8 * i) & 0xff);
         c += static_cast<uint64_t>(x > y ? x - y : y - x);
       }
       return u(c);
     }},
};

TEST(SimInteger, ThirtyTwoBits) {
  Words a, b, c;
  pairs(edges32, a, b, c);
  for (const Row &row : rows32) {
    Words got = evaluate(row.body, row.result, a, b, c);
    for (size_t i = 0; i < a.size(); ++i)
      EXPECT_EQ(got[i], row.expected(a[i], b[i], c[i]))
          << row.name << " of " << a[i] << ", " << b[i] << ", " << c[i];
  }
}

const Row rows64[] = {
    {"mul.hi.s64", "mul.hi.s64 %d, %a, %b;", "64",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t {
       return static_cast<uint64_t>(
           (I128(static_cast<int64_t>(a)) * static_cast<int64_t>(b)) >> 64);
     }},
    {"mad.lo.u64", "mad.lo.u64 %d, %a, %b, %c;", "64",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t { return a * b + c; }},
    {"max.s64", "max.s64 %d, %a, %b;", "64",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t {
       return static_cast<int64_t>(a) > static_cast<int64_t>(b) ? a : b;
     }},
    {"carry", "add.cc.u32 %r0, %a32, %b32; addc.u32 %d32, %c32, 0;", "32",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       return u(c + ((uint64_t(u(a)) + u(b)) >> 32));
     }},
    {"borrow", "sub.cc.u64 %w0, %a, %b; subc.u64 %d, %c, 0;", "64",
     [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t {
       return c - (a < b);
     }},
    // nvcc's division of 128 bits looks at the carry of a difference so.
    {"no borrow", "sub.cc.u32 %r0, %a32, %b32; addc.u32 %d32, 0, 0;", "32",
     [](uint64_t a, uint64_t b, uint64_t) -> uint64_t { return u(a) >= u(b); }},
    {"popc.b64", "popc.b64 %d32, %a;", "32",
     [](uint64_t a, uint64_t, uint64_t) -> uint64_t {
       uint64_t n = 0;
       for (; a; a >>= 1)
         n += a & 1;
       return n;
     }},
    {"brev.b64", "brev.b64 %d, %a;", "64",
     [](uint64_t a, uint64_t, uint64_t) -> uint64_t {
       uint64_t r = 0;
       for (unsigned i = 0; i < 64; ++i)
         r = r << 1 | (a >> i & 1);
       return r;
     }},
    {"cvt.sat", "cvt.sat.s16.s64 %d16, %a;", "16",
     [](uint64_t a, uint64_t, uint64_t) -> uint64_t {
       auto x = static_cast<int64_t>(a);
       return static_cast<uint16_t>(x > 32767    ? 32767
                                    : x < -32768 ? -32768
                                                 : x);
     }},
};

TEST(SimInteger, SixtyFourBits) {
  Words a, b, c;
  pairs({0, 1, 0x7fffffffffffffff, 0x8000000000000000, ~0ull, 0xffffffff,
         0x100000000, 0x123456789abcdef0},
        a, b, c);
  for (const Row &row : rows64) {
    Words got = evaluate(row.body, row.result, a, b, c);
    for (size_t i = 0; i < a.size(); ++i)
      EXPECT_EQ(got[i], row.expected(a[i], b[i], c[i]))
          << row.name << " of " << a[i] << ", " << b[i] << ", " << c[i];
  }
}

TEST(SimInteger, DivisionTruncates) {
  Words got = evaluate("div.s32 %r0, %a32, %b32; rem.s32 %r1, %a32, %b32;"
                       " mov.b64 %d, {%r0, %r1};",
                       "64", {7, 0xfffffff9, 7, 0xfffffff9, 0x80000000},
                       {2, 2, 0xfffffffe, 0xfffffffe, 0xffffffff});
  auto both = [](int32_t q, int32_t r) {
    return uint64_t(u(static_cast<uint64_t>(r))) << 32 | u(uint64_t(q));
  };
  EXPECT_EQ(got, (Words{both(3, 1), both(-3, -1), both(-3, 1), both(3, -1),
                        both(INT32_MIN, 0)}));
}

} // namespace
