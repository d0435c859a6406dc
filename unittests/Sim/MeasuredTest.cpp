// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a GPU computed, instruction by instruction: tables that
// tools/fovea-sim/hardware/distil.py made from its results (docs/hardware.md).
#include "Tensor/Mma.h"
#include "Tensor/TensorSum.h"
#include "fovea/Sim/Sim.h"
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace fovea::sim;

namespace {

using Words = std::vector<uint64_t>;

const std::string folder = "test/Sim/Inputs/measured-h200/";
const char *const header = ".version 9.0\n.target sm_90a\n.address_size 64\n";

/// Calls f(first word, the other words) for each line but comments.
template <class F> void forLines(const std::string &file, F f) {
  std::ifstream lines(folder + file);
  ASSERT_TRUE(lines) << "cannot read " << folder + file;
  std::string line, first, rest;
  while (std::getline(lines, line)) {
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    words >> first;
    std::getline(words >> std::ws, rest);
    f(first, rest);
  }
}

Words hexWords(const std::string &text) {
  std::istringstream in(text);
  Words words;
  for (std::string word; in >> word;)
    if (word != ">")
      words.push_back(std::stoull(word, nullptr, 16));
  return words;
}

std::vector<unsigned> numbers(const std::string &text) {
  std::vector<unsigned> result;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    result.push_back(static_cast<unsigned>(std::stoul(part)));
  return result;
}

/// Launches k(inputs, outputs, scratch) with a thread a row.
Words execute(const std::string &text, const Words &in, size_t outWords,
              unsigned threads) {
  Device device;
  auto module = device.load(text);
  uint64_t params[3] = {device.allocate(8 * in.size()),
                        device.allocate(8 * outWords),
                        device.allocate(32 * threads)};
  device.copyIn(params[0], in.data(), 8 * in.size());
  device.fill(params[1], 0, 8 * outWords);
  LaunchConfig config;
  config.block.x = threads;
  config.exactTensorSums = true;
  LaunchResult run = device.launch(*module, "k", config, params, sizeof params);
  for (const Finding &finding : run.findings)
    ADD_FAILURE() << finding.kind << ": " << finding.message << "\n" << text;
  Words out(outWords);
  device.copyOut(out.data(), params[1], 8 * outWords);
  return out;
}

// --- instructions -----------------------------------------------------------

struct Form {
  std::vector<unsigned> ins, outs; // widths, 1 of a predicate
  std::string text;
  std::vector<Words> rows;
};

std::string number(unsigned i) { return std::to_string(i); }

/// Declares and moves registers a0.. or d0..; predicates go by way of t0.
std::string transfer(const Form &form, bool isLoad) {
  const auto &widths = isLoad ? form.ins : form.outs;
  std::string text;
  for (unsigned i = 0; i < widths.size(); ++i) {
    std::string name = (isLoad ? "a" : "d") + number(i),
                at = "[r" + number(!isLoad) + "+" + number(8 * i) + "]",
                bits = ".b" + number(widths[i]);
    if (widths[i] == 1)
      text += isLoad ? "ld.global.b32 t0, " + at + ";\nsetp.ne.u32 " + name +
                           ", t0, 0;\n"
                     : "selp.b32 t0, 1, 0, " + name + ";\nst.global.b32 " + at +
                           ", t0;\n";
    else
      text += isLoad ? "ld.global" + bits + " " + name + ", " + at + ";\n"
                     : "st.global" + bits + " " + at + ", " + name + ";\n";
  }
  return text;
}

std::string moduleOf(const Form &form) {
  std::string text = header;
  text += ".visible .entry k(.param .u64 q0, .param .u64 q1, .param .u64 q2)\n"
          "{\n.reg .b64 r0, r1, gp;\n.reg .b32 t0, t1, sh;\n"
          ".reg .pred p0, p1;\n.shared .align 16 .b8 smem[4096];\n";
  for (bool isIn : {true, false})
    for (unsigned i = 0; i < (isIn ? form.ins : form.outs).size(); ++i) {
      unsigned width = (isIn ? form.ins : form.outs)[i];
      text += ".reg " + (width == 1 ? ".pred" : ".b" + number(width)) +
              (isIn ? " a" : " d") + number(i) + ";\n";
    }
  text += "mov.u32 t1, %tid.x;\nmov.u32 sh, smem;\n"
          "mad.lo.u32 sh, t1, 16, sh;\n"
          "ld.param.u64 gp, [q2];\nmad.wide.u32 gp, t1, 32, gp;\n"
          "ld.param.u64 r0, [q0];\nmad.wide.u32 r0, t1, " +
          number(8 * unsigned(form.ins.size())) +
          ", r0;\nld.param.u64 r1, [q1];\nmad.wide.u32 r1, t1, " +
          number(8 * unsigned(form.outs.size())) + ", r1;\n";
  return text + transfer(form, true) + form.text + "\n" +
         transfer(form, false) + "ret;\n}\n";
}

void check(const Form &form) {
  if (form.rows.empty())
    return;
  SCOPED_TRACE(form.text);
  size_t ins = form.ins.size(), outs = form.outs.size();
  Words in;
  for (const Words &row : form.rows) {
    ASSERT_EQ(row.size(), ins + outs);
    in.insert(in.end(), row.begin(), row.begin() + static_cast<long>(ins));
  }
  Words got = execute(moduleOf(form), in, form.rows.size() * outs,
                      static_cast<unsigned>(form.rows.size()));
  for (size_t r = 0; r < form.rows.size(); ++r)
    for (size_t i = 0; i < outs; ++i)
      EXPECT_EQ(got[r * outs + i], form.rows[r][ins + i])
          << std::hex << "result " << i << " of "
          << testing::PrintToString(form.rows[r]);
}

TEST(Measured, Instructions) {
  Form form;
  unsigned forms = 0;
  forLines("instructions.txt",
           [&](const std::string &first, const std::string &rest) {
             if (first != "form") {
               form.rows.push_back(hexWords(first + " " + rest));
               return;
             }
             check(form);
             ++forms;
             size_t arrow = rest.find('>'), space = rest.find(' ');
             form = {numbers(rest.substr(0, arrow)),
                     numbers(rest.substr(arrow + 1, space - arrow - 1)),
                     rest.substr(space + 1),
                     {}};
           });
  check(form);
  EXPECT_GT(forms, 2400u);
}

// --- sums of tensor cores ---------------------------------------------------

Ty typeNamed(const std::string &name) {
  for (Ty ty : {Ty::F16, Ty::BF16, Ty::TF32, Ty::F32, Ty::E4M3, Ty::E5M2})
    if (name == typeName(ty))
      return ty;
  ADD_FAILURE() << "unknown type " << name;
  return Ty::None;
}

float valueOf(uint64_t bits, Ty ty) {
  auto word = static_cast<uint32_t>(bits);
  return ty == Ty::F32 ? std::bit_cast<float>(word) : element(word, 0, ty);
}

TEST(Measured, TensorSums) {
  Ty a{}, b{}, d{};
  bool isWgmma = false;
  size_t n = 0, sums = 0;
  forLines("sums.txt", [&](const std::string &first, const std::string &rest) {
    if (first == "sum") {
      std::istringstream in(rest);
      std::string names[4];
      in >> names[0] >> names[1] >> names[2] >> names[3] >> n;
      a = typeNamed(names[0]), b = typeNamed(names[1]);
      d = typeNamed(names[2]), isWgmma = names[3] == "wgmma";
      return;
    }
    Words words = hexWords(first + " " + rest);
    ASSERT_EQ(words.size(), 2 * n + 2);
    std::vector<float> x, y;
    for (size_t k = 0; k < n; ++k) {
      x.push_back(valueOf(words[k], a));
      y.push_back(valueOf(words[n + k], b));
    }
    float sum = TensorSum(90, a, b, d, isWgmma)
                    .dot(x.data(), y.data(), 1, static_cast<unsigned>(n),
                         valueOf(words[2 * n], d));
    uint32_t bits = d == Ty::F16 ? toF16(sum).bits : canonicalBits(sum);
    EXPECT_EQ(bits, words[2 * n + 1])
        << typeName(a) << " " << typeName(b) << " " << typeName(d) << " "
        << isWgmma << " " << n << ": " << first << " " << rest;
    ++sums;
  });
  EXPECT_GT(sums, 200u);
}

// --- fragments --------------------------------------------------------------

struct Product {
  unsigned bits = 32, selector = 0;
  unsigned counts[5] = {}; // registers of A, B, C, metadata, D
  std::string opcode;
  std::vector<Words> registers;
};

std::string list(const char *name, unsigned n) {
  std::string text = "{";
  for (unsigned i = 0; i < n; ++i)
    text += (i ? ", " : "") + (name + number(i));
  return text + "}";
}

void check(const Product &product) {
  if (product.registers.empty())
    return;
  SCOPED_TRACE(product.opcode);
  static const char *const names[] = {"a", "b", "c", "e", "d"};
  std::string ty = ".b" + number(product.bits), text = header, loads, stores;
  text += ".visible .entry k(.param .u64 q0, .param .u64 q1, .param .u64 q2)\n"
          "{\n.reg .b64 r0, r1;\n.reg .b32 t0;\nmov.u32 t0, %tid.x;\n"
          "ld.param.u64 r0, [q0];\nmad.wide.u32 r0, t0, 8, r0;\n"
          "ld.param.u64 r1, [q1];\nmad.wide.u32 r1, t0, 8, r1;\n";
  unsigned at = 0;
  for (unsigned i = 0; i < 5; ++i)
    for (unsigned r = 0; r < product.counts[i]; ++r) {
      std::string name = names[i] + number(r);
      text += ".reg " + ty + " " + name + ";\n";
      if (i < 4)
        loads += "ld.global" + ty + " " + name + ", [r0+" + number(256 * at++) +
                 "];\n";
      else
        stores +=
            "st.global" + ty + " [r1+" + number(256 * r) + "], " + name + ";\n";
    }
  text += loads + product.opcode + " " + list("d", product.counts[4]) + ", " +
          list("a", product.counts[0]) + ", " + list("b", product.counts[1]) +
          ", " + list("c", product.counts[2]);
  if (product.counts[3])
    text += ", e0, " + number(product.selector);
  text += ";\n" + stores + "ret;\n}\n";
  Words in;
  for (unsigned r = 0; r < at; ++r)
    in.insert(in.end(), product.registers[r].begin(),
              product.registers[r].end());
  Words got = execute(text, in, size_t(product.counts[4]) * 32, 32);
  for (unsigned r = 0; r < product.counts[4]; ++r)
    EXPECT_EQ(Words(got.begin() + 32 * r, got.begin() + 32 * (r + 1)),
              product.registers[at + r])
        << "register " << r;
}

TEST(Measured, Fragments) {
  Product product;
  unsigned products = 0;
  forLines("fragments.txt",
           [&](const std::string &first, const std::string &rest) {
             if (first != "mma") {
               product.registers.push_back(hexWords(first + " " + rest));
               return;
             }
             check(product);
             product = {};
             ++products;
             std::istringstream in(rest);
             in >> product.bits;
             for (unsigned &count : product.counts)
               in >> count;
             in >> product.selector >> product.opcode;
           });
  check(product);
  EXPECT_EQ(products, 12u);
}

} // namespace
