// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which level of the x86-64 psABI this machine has, and the tile sizes for it.
#include "fovea/Target/Host/Host.h"

#include "llvm/TargetParser/Host.h"

using namespace llvm;
using namespace fovea;
using namespace fovea::host;

static Error makeError(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

Expected<InstructionSet> InstructionSet::detect() {
  StringMap<bool> features = sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<StringRef> names) {
    return all_of(names, [&](StringRef name) { return features.lookup(name); });
  };
  if (!has({"avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "movbe"}))
    return makeError(
        "expected a CPU with the instructions of x86-64-v3 (AVX2, FMA, "
        "F16C), but this machine has fewer");
  if (has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    return InstructionSet("x86-64-v4", 16);
  return InstructionSet("x86-64-v3", 8);
}

Expected<InstructionSet> InstructionSet::parse(StringRef name) {
  if (name.empty() || name == "native")
    return detect();
  if (name == "x86-64-v3")
    return InstructionSet("x86-64-v3", 8);
  if (name == "x86-64-v4")
    return InstructionSet("x86-64-v4", 16);
  return makeError("expected the instruction set to be x86-64-v3, x86-64-v4 or "
                   "native, but got '" +
                   name + "'");
}

// 64 x 64: a panel's slices of Q, S and O beside one of K and V fill L1 at a
// head dimension of 64; larger query tiles waste more of a causal diagonal.
Expected<Schedule>
fovea::host::chooseSchedule(int64_t qkDim, int64_t vDim,
                            const ScheduleOverrides &overrides) {
  Schedule schedule{overrides.rows.value_or(64), overrides.keys.value_or(64), 1,
                    1};
  auto within = [](StringRef what, int64_t value, int64_t low,
                   int64_t high) -> Error {
    if (value >= low && value <= high)
      return Error::success();
    return makeError("expected " + what + " between " + Twine(low) + " and " +
                     Twine(high) + " on the host, but got " + Twine(value));
  };
  if (Error error = within("rows of a tile", schedule.rows, 1, 4096))
    return error;
  if (Error error = within("keys of a tile", schedule.keys, 1, 4096))
    return error;
  for (auto [what, given] : {std::pair<StringRef, std::optional<int64_t>>{
                                 "stages", overrides.stages},
                             {"warps", overrides.warps}})
    if (Error error = within(what, given.value_or(1), 1, 1))
      return error;
  return schedule;
}
