// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small kernels around the instructions under test.
#include "Harness.h"
#include <cstring>

namespace fovea::sim::test {

static const char *const header = ".version 9.0\n.target TARGET\n"
                                  ".address_size 64\n";

static std::string headerFor(const std::string &target) {
  std::string text = header;
  return text.replace(text.find("TARGET"), 6, target);
}

Words evaluate(const std::string &body, const std::string &result,
               const Words &a, const Words &b, const Words &c,
               const std::string &target) {
  std::string text = headerFor(target) + R"(
.visible .entry k(.param .u64 out, .param .u64 in)
{
  .reg .b64 %o, %i, %off, %a, %b, %c, %d, %w<9>;
  .reg .b32 %t, %a32, %b32, %c32, %d32, %r<9>;
  .reg .b16 %a16, %b16, %c16, %d16, %h<9>;
  .reg .pred %q, %p, %pp<9>;
  ld.param.u64 %o, [out];
  ld.param.u64 %i, [in];
  mov.u32 %t, %tid.x;
  mul.wide.u32 %off, %t, 32;
  add.u64 %i, %i, %off;
  ld.global.b64 %a, [%i];
  ld.global.b64 %b, [%i+8];
  ld.global.b64 %c, [%i+16];
  cvt.u32.u64 %a32, %a;
  cvt.u32.u64 %b32, %b;
  cvt.u32.u64 %c32, %c;
  cvt.u16.u64 %a16, %a;
  cvt.u16.u64 %b16, %b;
  cvt.u16.u64 %c16, %c;
  and.b32 %r8, %a32, 1;
  setp.ne.u32 %q, %r8, 0;
)" + body + "\n";
  if (result == "32")
    text += "  cvt.u64.u32 %d, %d32;\n";
  else if (result == "16")
    text += "  cvt.u64.u16 %d, %d16;\n";
  else if (result == "p")
    text += "  selp.b64 %d, 1, 0, %p;\n";
  text += R"(
  mul.wide.u32 %off, %t, 8;
  add.u64 %o, %o, %off;
  st.global.b64 [%o], %d;
  ret;
}
)";
  Device device;
  auto module = device.load(text);
  Words packed(4 * a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    packed[4 * i] = a[i];
    packed[4 * i + 1] = b.empty() ? 0 : b[i];
    packed[4 * i + 2] = c.empty() ? 0 : c[i];
  }
  uint64_t params[2] = {device.allocate(8 * a.size()),
                        device.allocate(8 * packed.size())};
  device.copyIn(params[1], packed.data(), 8 * packed.size());
  LaunchConfig config;
  config.block.x = static_cast<uint32_t>(a.size());
  LaunchResult run = device.launch(*module, "k", config, params, sizeof params);
  if (!run.findings.empty())
    throw std::runtime_error(run.findings[0].message);
  Words out(a.size());
  device.copyOut(out.data(), params[0], 8 * out.size());
  return out;
}

std::string moduleOf(const std::string &body, const std::string &declarations,
                     const std::string &target) {
  return headerFor(target) + R"(
.visible .entry k(.param .u64 p0, .param .u64 p1)
{
  .reg .b64 %p<2>, %w<20>;
  .reg .b32 %t, %r<20>;
  .reg .f32 %f<20>;
  .reg .pred %q<9>;
)" + declarations +
         R"(
  ld.param.u64 %p0, [p0];
  ld.param.u64 %p1, [p1];
  mov.u32 %t, %tid.x;
)" + body +
         "\n  ret;\n}\n";
}

LaunchResult launch(const std::string &text, Dim3 grid, Dim3 block,
                    size_t bytes, std::vector<uint32_t> *out, uint64_t seed) {
  Device device;
  auto module = device.load(text);
  uint64_t params[2] = {device.allocate(bytes, "first"),
                        device.allocate(bytes, "second")};
  device.fill(params[0], 0, bytes);
  device.fill(params[1], 0, bytes);
  LaunchConfig config;
  config.grid = grid;
  config.block = block;
  config.seed = seed;
  LaunchResult result =
      device.launch(*module, "k", config, params, sizeof params);
  if (out) {
    out->resize(bytes / 4);
    device.copyOut(out->data(), params[0], bytes / 4 * 4);
  }
  return result;
}

LaunchResult count(const std::string &text, Dim3 grid, Dim3 block) {
  Device device;
  auto module = device.load(text);
  uint64_t params[2] = {device.allocate(65536, "first"),
                        device.allocate(65536, "second")};
  device.fill(params[0], 0, 65536);
  device.fill(params[1], 0, 65536);
  LaunchConfig config;
  config.grid = grid;
  config.block = block;
  config.count = true;
  LaunchResult result =
      device.launch(*module, "k", config, params, sizeof params);
  if (!result.findings.empty())
    throw std::runtime_error(result.findings[0].message);
  return result;
}

std::string kinds(const LaunchResult &result) {
  std::string text;
  for (const Finding &finding : result.findings)
    text += (text.empty() ? "" : " ") + finding.kind;
  return text;
}

} // namespace fovea::sim::test
