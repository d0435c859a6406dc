// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CPUID by the Intel SDM, volume 2A. A feature counts only if the system also
// saves its registers (XCR0): a hypervisor may offer AVX-512 to a kernel that
// does not switch its state. The levels are those of the x86-64 psABI,
// table 3.1.

#include "CpuFeatures.h"

#include <array>
#include <cstdint>
#include <string_view>

#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <sys/syscall.h>
#include <unistd.h>

using namespace fovea::runtime;

namespace {
enum Register { EAX, EBX, ECX, EDX };

/// State components of XCR0.
enum : uint64_t { None = 0, Avx = 0x6, Avx512 = 0xe6, Amx = 0x60000 };

struct Feature {
  std::string_view name;
  uint32_t leaf, subleaf;
  Register reg;
  int bit;
  uint64_t state;
};

struct Level {
  std::string_view name;
  std::string_view features; // those that the level below has not, by names
};
} // namespace

static constexpr uint32_t extended = 0x80000001u;
static constexpr Feature features[] = {
    {"sse3", 1, 0, ECX, 0, None},
    {"ssse3", 1, 0, ECX, 9, None},
    {"fma", 1, 0, ECX, 12, Avx},
    {"cx16", 1, 0, ECX, 13, None},
    {"sse4.1", 1, 0, ECX, 19, None},
    {"sse4.2", 1, 0, ECX, 20, None},
    {"movbe", 1, 0, ECX, 22, None},
    {"popcnt", 1, 0, ECX, 23, None},
    {"avx", 1, 0, ECX, 28, Avx},
    {"f16c", 1, 0, ECX, 29, Avx},
    {"sahf", extended, 0, ECX, 0, None},
    {"lzcnt", extended, 0, ECX, 5, None},
    {"bmi", 7, 0, EBX, 3, None},
    {"avx2", 7, 0, EBX, 5, Avx},
    {"bmi2", 7, 0, EBX, 8, None},
    {"avx512f", 7, 0, EBX, 16, Avx512},
    {"avx512dq", 7, 0, EBX, 17, Avx512},
    {"avx512cd", 7, 0, EBX, 28, Avx512},
    {"avx512bw", 7, 0, EBX, 30, Avx512},
    {"avx512vl", 7, 0, EBX, 31, Avx512},
    {"avx512vbmi", 7, 0, ECX, 1, Avx512},
    {"avx512vbmi2", 7, 0, ECX, 6, Avx512},
    {"avx512vnni", 7, 0, ECX, 11, Avx512},
    {"amx-bf16", 7, 0, EDX, 22, Amx},
    {"avx512fp16", 7, 0, EDX, 23, Avx512},
    {"amx-tile", 7, 0, EDX, 24, Amx},
    {"amx-int8", 7, 0, EDX, 25, Amx},
    {"avxvnni", 7, 1, EAX, 4, Avx},
    {"avx512bf16", 7, 1, EAX, 5, Avx512},
    {"amx-fp16", 7, 1, EAX, 21, Amx},
};
static constexpr Level levels[] = {
    {"x86-64", ""},
    {"x86-64-v2", "cx16 sahf popcnt sse3 sse4.1 sse4.2 ssse3"},
    {"x86-64-v3", "avx avx2 bmi bmi2 f16c fma lzcnt movbe"},
    {"x86-64-v4", "avx512f avx512bw avx512cd avx512dq avx512vl"},
};

#ifdef __x86_64__
static uint64_t enabledStates() {
  std::array<uint32_t, 4> r{};
  constexpr int osxsave = 27;
  if (!__get_cpuid(1, &r[EAX], &r[EBX], &r[ECX], &r[EDX]) ||
      !(r[ECX] >> osxsave & 1))
    return 0;
  uint32_t low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

static bool hasFeature(const Feature &f) {
  std::array<uint32_t, 4> r{};
  if (!__get_cpuid_count(f.leaf, f.subleaf, &r[EAX], &r[EBX], &r[ECX], &r[EDX]))
    return false;
  return (r[f.reg] >> f.bit & 1) && (enabledStates() & f.state) == f.state;
}
#else
static bool hasFeature(const Feature &) { return false; }
#endif

static bool hasFeature(std::string_view name) {
  for (const Feature &feature : features)
    if (feature.name == name)
      return hasFeature(feature);
  return false;
}

/// A level includes those before it.
static bool hasLevel(size_t index) {
  for (size_t i = 0; i <= index; ++i) {
    std::string_view rest = levels[i].features;
    while (!rest.empty()) {
      size_t end = std::min(rest.find(' '), rest.size());
      if (!hasFeature(rest.substr(0, end)))
        return false;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
#ifdef __x86_64__
  return true;
#else
  return false;
#endif
}

std::string fovea::runtime::cpuLevel() {
  std::string best = "no x86-64";
  for (size_t i = 0; i < std::size(levels) && hasLevel(i); ++i)
    best = levels[i].name;
  return best;
}

/// AMX's registers are large, so Linux wants to be asked (6.0 and later: for
/// the whole process, at any time).
static bool requestAmx() {
#ifdef __x86_64__
  constexpr long requestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

Status
fovea::runtime::checkInstructionSet(const std::vector<std::string> &needed) {
  for (const std::string &name : needed) {
    bool has = hasFeature(std::string_view(name));
    for (size_t i = 0; i < std::size(levels); ++i)
      has = has || (levels[i].name == name && hasLevel(i));
    if (has && name.starts_with("amx"))
      has = requestAmx();
    if (!has)
      return machineLacks("the kernel needs the instruction set '" + name +
                          "', which this machine lacks (it has " + cpuLevel() +
                          ")");
  }
  return Status();
}
