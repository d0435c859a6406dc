// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wmma against plain loops: the fragments' layout is the simulator's own, so a
// tile goes all the way from memory to memory.
#include "fovea/Sim/Sim.h"
#include <cstring>
#include <functional>
#include <gtest/gtest.h>

using namespace fovea::sim;

namespace {

struct Form {
  const char *shape;
  unsigned m, n, k;
  const char *type;      // of A and B in memory
  const char *signature; // types of wmma.mma
  const char *modifiers; // before .sync
  unsigned bits;         // of an element
  unsigned aRegisters, bRegisters, cRegisters;
  bool aRow, bRow; // row-major in memory
  int low, high;   // values
  bool isFloat, isBits = false;
};

std::string list(const char *name, unsigned n) {
  std::string text = "{";
  for (unsigned i = 0; i < n; ++i)
    text += std::string(i ? ", " : "") + name + std::to_string(i);
  return text + "}";
}

std::string kernelOf(const Form &form) {
  std::string shape = std::string(".") + form.shape;
  std::string aLayout = form.aRow ? ".row" : ".col",
              bLayout = form.bRow ? ".row" : ".col";
  auto load = [&](const char *which, const std::string &layout, unsigned n,
                  const char *base, unsigned leading) {
    return std::string("  wmma.load.") + which + ".sync.aligned" + layout +
           shape + ".global." + form.type + " " +
           list(*which == 'a' ? "%a" : "%b", n) + ", [" + base + "], " +
           std::to_string(leading) + ";\n";
  };
  std::string acc = form.isFloat ? "f32" : "s32";
  std::string c = list("%c", form.cRegisters);
  return std::string(R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u64 p2)
{
  .reg .b64 %p<3>;
  .reg .b32 %a<8>, %b<8>, %c<8>;
  ld.param.u64 %p0, [p0];
  ld.param.u64 %p1, [p1];
  ld.param.u64 %p2, [p2];
)") + load("a", aLayout, form.aRegisters, "%p0", form.aRow ? form.k : form.m) +
         load("b", bLayout, form.bRegisters, "%p1",
              form.bRow ? form.n : form.k) +
         "  wmma.load.c.sync.aligned.row" + shape + ".global." + acc + " " + c +
         ", [%p2], " + std::to_string(form.n) + ";\n  wmma.mma" +
         form.modifiers + ".sync.aligned" + aLayout + bLayout + shape +
         form.signature + " " + c + ", " + list("%a", form.aRegisters) + ", " +
         list("%b", form.bRegisters) + ", " + c +
         ";\n  wmma.store.d.sync.aligned.row" + shape + ".global." + acc +
         " [%p2], " + c + ", " + std::to_string(form.n) + ";\n  ret;\n}\n";
}

void check(const Form &form) {
  auto value = [&](unsigned i, unsigned j) {
    return form.low + int((i * 7 + j * 5) % unsigned(form.high - form.low + 1));
  };
  std::vector<uint8_t> a(form.m * form.k * form.bits / 8),
      b(form.n * form.k * form.bits / 8);
  auto put = [&](std::vector<uint8_t> &to, unsigned index, int x) {
    uint32_t bits = static_cast<uint32_t>(x);
    if (form.isFloat) {
      auto h = static_cast<_Float16>(x);
      uint16_t half;
      std::memcpy(&half, &h, 2);
      bits = half;
    }
    for (unsigned i = 0; i < form.bits; ++i)
      if (bits >> i & 1)
        to[(index * form.bits + i) / 8] |=
            uint8_t(1u << ((index * form.bits + i) % 8));
  };
  for (unsigned k = 0; k < form.k; ++k) {
    for (unsigned m = 0; m < form.m; ++m)
      put(a, form.aRow ? m * form.k + k : k * form.m + m, value(m, k));
    for (unsigned n = 0; n < form.n; ++n)
      put(b, form.bRow ? k * form.n + n : n * form.k + k, value(k, n));
  }
  std::vector<int32_t> c(form.m * form.n);
  for (unsigned i = 0; i < c.size(); ++i) {
    c[i] = int(i) - 20;
    if (form.isFloat) {
      auto f = static_cast<float>(c[i]);
      std::memcpy(&c[i], &f, 4);
    }
  }
  Device device;
  auto module = device.load(kernelOf(form));
  uint64_t params[3] = {device.allocate(a.size()), device.allocate(b.size()),
                        device.allocate(c.size() * 4)};
  device.copyIn(params[0], a.data(), a.size());
  device.copyIn(params[1], b.data(), b.size());
  device.copyIn(params[2], c.data(), c.size() * 4);
  LaunchConfig config;
  config.block = {32, 1, 1};
  LaunchResult result =
      device.launch(*module, "k", config, params, sizeof params);
  for (const Finding &finding : result.findings)
    ADD_FAILURE() << finding.kind << " at line " << finding.line << ": "
                  << finding.message;
  device.copyOut(c.data(), params[2], c.size() * 4);
  for (unsigned m = 0; m < form.m; ++m)
    for (unsigned n = 0; n < form.n; ++n) {
      int want = int(m * form.n + n) - 20;
      for (unsigned k = 0; k < form.k; ++k)
        want += form.isBits ? value(m, k) != value(k, n)
                            : value(m, k) * value(k, n);
      int got = c[m * form.n + n];
      if (form.isFloat) {
        float f;
        std::memcpy(&f, &got, 4);
        ASSERT_EQ(f, float(want)) << form.shape << " " << m << ", " << n;
      } else {
        ASSERT_EQ(got, want) << form.shape << " " << m << ", " << n;
      }
    }
}

TEST(Wmma, MultipliesHalves) {
  check({"m16n16k16", 16, 16, 16, "f16", ".f32.f32", "", 16, 8, 8, 8, true,
         true, -4, 5, true});
  check({"m32n8k16", 32, 8, 16, "f16", ".f32.f32", "", 16, 8, 8, 8, false, true,
         -4, 5, true});
  check({"m8n32k16", 8, 32, 16, "f16", ".f32.f32", "", 16, 8, 8, 8, true, false,
         -4, 5, true});
}

TEST(Wmma, MultipliesIntegers) {
  check({"m16n16k16", 16, 16, 16, "s8", ".s32.s8.s8.s32", "", 8, 2, 2, 8, true,
         false, -128, 127, false});
  check({"m32n8k16", 32, 8, 16, "u8", ".s32.u8.u8.s32", "", 8, 4, 1, 8, false,
         true, 0, 255, false});
  check({"m8n8k32", 8, 8, 32, "s4", ".s32.s4.s4.s32", "", 4, 1, 1, 2, true,
         false, -8, 7, false});
}

TEST(Wmma, CountsDifferingBits) {
  check({"m8n8k128", 8, 8, 128, "b1", ".s32.b1.b1.s32", ".xor.popc", 1, 1, 1, 2,
         true, false, 0, 1, false, true});
  // Of bits, and is a product.
  check({"m8n8k128", 8, 8, 128, "b1", ".s32.b1.b1.s32", ".and.popc", 1, 1, 1, 2,
         true, false, 0, 1, false});
}

} // namespace
