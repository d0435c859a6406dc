// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wgmma against plain double loops. The places of the accumulators are
// CUTLASS's CLayout_64xN: with t = t0 + 4 t1 + 32 t2 and i = v0 + 2 v1 + 4 v2,
// m + 64 n = 128 t0 + t1 + 16 t2 + 64 v0 + 8 v1 + 512 v2.
#include "fovea/Sim/Sim.h"
#include <cmath>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>

using namespace fovea::sim;

namespace {

struct Form {
  const char *types; // of the opcode
  unsigned n, k, bytes;
  const char *immediates;
  uint64_t descA, descB;
  /// Byte of the image of row and byte along K (or of an N-major B).
  std::function<uint32_t(unsigned, unsigned)> placeA, placeB;
  /// Bits of a small integer.
  std::function<uint32_t(int)> bits;
  bool negates = false;
};

constexpr uint32_t imageBytes = 32768, offsetB = 16384;

uint32_t halfBits(int x) {
  auto h = static_cast<_Float16>(x);
  uint16_t bits;
  std::memcpy(&bits, &h, 2);
  return bits;
}

std::string list(unsigned n) {
  std::string text = "{";
  for (unsigned i = 0; i < n; ++i)
    text += (i ? ", %d" : "%d") + std::to_string(i);
  return text + "}";
}

/// Copies the image to shared memory, multiplies, stores the accumulators.
std::string kernelOf(const Form &form) {
  unsigned count = form.n / 2;
  std::string text = R"(.version 8.0
.target sm_90a
.address_size 64
.extern .shared .align 1024 .b8 mem[];
.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 p3)
{
  .reg .b64 %p<4>, %x<9>;
  .reg .b32 %t, %r<9>, %d<128>;
  .reg .pred %q<3>;
  ld.param.u64 %p0, [p0];
  ld.param.u64 %p1, [p1];
  ld.param.u64 %p2, [p2];
  ld.param.u64 %p3, [p3];
  mov.u32 %t, %tid.x;
  shl.b32 %r0, %t, 4;
  mov.u32 %r1, mem;
  mov.u32 %r8, %r0;
L:
  cvt.u64.u32 %x0, %r8;
  add.s64 %x1, %p0, %x0;
  ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%x1];
  add.s32 %r6, %r1, %r8;
  st.shared.v4.u32 [%r6], {%r2, %r3, %r4, %r5};
  add.s32 %r8, %r8, 2048;
  setp.lt.u32 %q0, %r8, 32768;
  @%q0 bra L;
  shr.u32 %r7, %r1, 4;
  cvt.u64.u32 %x2, %r7;
  add.s64 %p2, %p2, %x2;
  add.s64 %p3, %p3, %x2;
)";
  for (unsigned i = 0; i < count; ++i)
    text += "  mov.b32 %d" + std::to_string(i) + ", 0;\n";
  text += R"(  fence.proxy.async.shared::cta;
  bar.sync 0;
  wgmma.fence.sync.aligned;
  wgmma.mma_async.sync.aligned.m64n)" +
          std::to_string(form.n) + "k" + std::to_string(form.k) + form.types +
          " " + list(count) + ", %p2, %p3, 1" + form.immediates + R"(;
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  mul.wide.u32 %x3, %t, )" +
          std::to_string(4 * count) + ";\n  add.s64 %x3, %p1, %x3;\n";
  for (unsigned i = 0; i < count; ++i)
    text += "  st.global.b32 [%x3+" + std::to_string(4 * i) + "], %d" +
            std::to_string(i) + ";\n";
  return text + "  ret;\n}\n";
}

void check(const Form &form) {
  // Small integers, so that every sum is exact.
  auto a = [](unsigned m, unsigned k) { return int((m * 7 + k * 3) % 9) - 4; };
  auto b = [](unsigned n, unsigned k) { return int((n * 5 + k * 11) % 7) - 3; };
  std::vector<uint8_t> image(imageBytes);
  auto put = [&](uint32_t at, int value) {
    uint32_t bits = form.bits(value);
    std::memcpy(image.data() + at, &bits, form.bytes);
  };
  for (unsigned k = 0; k < form.k; ++k) {
    for (unsigned m = 0; m < 64; ++m)
      put(form.placeA(m, k), a(m, k));
    for (unsigned n = 0; n < form.n; ++n)
      put(offsetB + form.placeB(n, k), b(n, k));
  }
  Device device;
  auto module = device.load(kernelOf(form));
  size_t outBytes = 64 * form.n * 4;
  uint64_t in = device.allocate(imageBytes, "image"),
           out = device.allocate(outBytes, "out");
  device.copyIn(in, image.data(), imageBytes);
  uint64_t params[4] = {in, out, form.descA, form.descB + (offsetB >> 4)};
  LaunchConfig config;
  config.block = {128, 1, 1};
  config.dynamicSharedBytes = imageBytes;
  LaunchResult result =
      device.launch(*module, "k", config, params, sizeof params);
  for (const Finding &finding : result.findings)
    ADD_FAILURE() << finding.kind << " at line " << finding.line << ": "
                  << finding.message;
  std::vector<uint32_t> got(outBytes / 4);
  device.copyOut(got.data(), out, outBytes);
  bool isFloat = std::strstr(form.types, ".f32") != nullptr;
  for (unsigned t = 0; t < 128; ++t)
    for (unsigned i = 0; i < form.n / 2; ++i) {
      unsigned index = t % 4 * 128 + t / 4 % 8 + t / 32 * 16 + i % 2 * 64 +
                       i / 2 % 2 * 8 + i / 4 * 512;
      unsigned m = index % 64, n = index / 64;
      double want = 0;
      for (unsigned k = 0; k < form.k; ++k)
        want += double(a(m, k)) * b(n, k);
      if (form.negates)
        want = -want;
      uint32_t bits = got[t * (form.n / 2) + i];
      float f;
      std::memcpy(&f, &bits, 4);
      ASSERT_EQ(isFloat ? double(f) : double(int32_t(bits)), want)
          << "row " << m << ", column " << n;
    }
}

constexpr uint64_t offsets(uint64_t leading, uint64_t stride, uint64_t mode) {
  return leading / 16 << 16 | stride / 16 << 32 | mode << 62;
}

/// Rows of 128 bytes, chunk c of row r at place c xor r mod 8.
uint32_t line128(unsigned row, unsigned byte) {
  return row * 128 + ((byte / 16) ^ (row % 8)) * 16 + byte % 16;
}
uint32_t line64(unsigned row, unsigned byte) {
  uint32_t at = row * 64 + byte;
  return at / 128 * 128 + ((at % 128 / 16) ^ (at / 128 % 4)) * 16 + byte % 16;
}
uint32_t line32(unsigned row, unsigned byte) {
  uint32_t at = row * 32 + byte;
  return at / 128 * 128 + ((at % 128 / 16) ^ (at / 128 % 2)) * 16 + byte % 16;
}
/// Core matrices of 8 rows by 16 bytes, two side by side.
uint32_t cores(unsigned row, unsigned byte) {
  return row / 8 * 256 + byte / 16 * 128 + row % 8 * 16 + byte % 16;
}

Form halfForm(unsigned n) {
  Form form;
  form.types = ".f32.f16.f16";
  form.n = n;
  form.k = 16;
  form.bytes = 2;
  form.immediates = ", 1, 1, 0, 0";
  form.bits = halfBits;
  return form;
}

void kMajor(Form &form, uint32_t (*place)(unsigned, unsigned), uint64_t desc) {
  unsigned bytes = form.bytes;
  form.placeA = form.placeB = [=](unsigned row, unsigned k) {
    return place(row, k * bytes);
  };
  form.descA = form.descB = desc;
}

TEST(Wgmma, SwizzlesKMajorOperands) {
  Form form = halfForm(64);
  kMajor(form, line128, offsets(16, 1024, 1));
  check(form);
  kMajor(form, line64, offsets(16, 512, 2));
  check(form);
  kMajor(form, line32, offsets(16, 256, 3));
  check(form);
  kMajor(form, cores, offsets(128, 256, 0));
  check(form);
}

TEST(Wgmma, TakesAllColumnCounts) {
  for (unsigned n : {8u, 24u, 96u, 128u}) {
    Form form = halfForm(n);
    kMajor(form, line128, offsets(16, 1024, 1));
    check(form);
  }
}

TEST(Wgmma, NegatesAnOperand) {
  Form form = halfForm(16);
  form.immediates = ", -1, 1, 0, 0";
  form.negates = true;
  kMajor(form, line128, offsets(16, 1024, 1));
  check(form);
}

TEST(Wgmma, TransposesOperands) {
  Form form = halfForm(128);
  form.immediates = ", 1, 1, 1, 1";
  // Line k of a tile holds 64 rows of A or columns of B; tiles of 16 lines.
  form.placeA = form.placeB = [](unsigned mn, unsigned k) {
    return mn / 64 * 2048 + line128(k, mn % 64 * 2);
  };
  form.descA = form.descB = offsets(2048, 1024, 1);
  check(form);
  // Without a swizzle: 8 x 8 cores, along K at 128 bytes, along M at 256.
  form.placeA = form.placeB = [](unsigned mn, unsigned k) {
    return mn / 8 * 256 + k / 8 * 128 + k % 8 * 16 + mn % 8 * 2;
  };
  form.descA = form.descB = offsets(128, 256, 0);
  check(form);
}

TEST(Wgmma, TakesOtherTypes) {
  Form form = halfForm(32);
  form.types = ".f32.bf16.bf16";
  form.bits = [](int x) {
    auto f = static_cast<float>(x);
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    return bits >> 16;
  };
  kMajor(form, line128, offsets(16, 1024, 1));
  check(form);
  form.types = ".f32.tf32.tf32";
  form.k = 8;
  form.bytes = 4;
  form.immediates = ", 1, 1";
  form.bits = [](int x) {
    auto f = static_cast<float>(x);
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    return bits;
  };
  kMajor(form, line128, offsets(16, 1024, 1));
  check(form);
  form.types = ".s32.s8.s8";
  form.k = 32;
  form.bytes = 1;
  form.immediates = "";
  form.bits = [](int x) { return uint32_t(x) & 0xff; };
  kMajor(form, cores, offsets(128, 256, 0));
  check(form);
}

} // namespace
