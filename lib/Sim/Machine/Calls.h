// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arguments and results on their way between a caller's places and a callee's.
#ifndef FOVEA_LIB_SIM_CALLS_H
#define FOVEA_LIB_SIM_CALLS_H

#include "Checks/Taint.h"

namespace fovea::sim {

/// Values of the lanes of a mask, and which of their bytes were written.
class CallValues {
public:
  CallValues(Warp &warp, const std::vector<CallSite::Value> &from,
             uint32_t mask);
  /// One result a lane, for functions that give one.
  CallValues(const uint64_t (&results)[32],
             const std::vector<CallSite::Value> &to);
  /// Missing ones and bytes that do not fit are left out.
  void store(Warp &warp, const std::vector<CallSite::Value> &to,
             uint32_t mask) const;
  /// The low bytes of value i; 0 if there is none.
  uint64_t get(size_t i, unsigned lane) const;
  bool isWritten(size_t i, unsigned lane) const;

private:
  struct Item {
    uint32_t bytes;
    std::vector<uint8_t> data, init; // lane after lane
  };
  std::vector<Item> items;
};

/// Functions that the device's runtime brings along.
enum class Builtin : uint8_t { None, Vprintf, Malloc, Free, AssertFail };
Builtin builtinNamed(std::string_view name);
/// The call of one, as an instruction: aux is the call site, kind the function.
void execBuiltin(Warp &warp, const Inst &inst, uint32_t mask);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_CALLS_H
