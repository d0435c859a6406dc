// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The fundamental types of PTX (ISA text, section 5.2) and the state spaces.
#ifndef FOVEA_LIB_SIM_TYPES_H
#define FOVEA_LIB_SIM_TYPES_H

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fovea::sim {

/// A module that cannot be executed: malformed, or using something that the
/// simulator does not know. The text names it and its line.
class UnsupportedError : public std::runtime_error {
public:
  UnsupportedError(unsigned line, const std::string &what)
      : std::runtime_error("line " + std::to_string(line) + ": " + what),
        line(line) {}
  unsigned line;
};

enum class Ty : uint8_t {
  None,
  Pred,
  B1,
  B8,
  B16,
  B32,
  B64,
  B128,
  U2,
  U4,
  U8,
  U16,
  U32,
  U64,
  S2,
  S4,
  S8,
  S16,
  S32,
  S64,
  U16x2,
  S16x2,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F32x2,
  F64,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
};

/// The type named by a modifier without its dot; None if it names none.
Ty parseType(std::string_view text);
const char *typeName(Ty ty);

/// Bits of one value of the type; a predicate counts as one.
unsigned typeBits(Ty ty);
inline unsigned typeBytes(Ty ty) { return (typeBits(ty) + 7) / 8; }
inline bool isSigned(Ty ty) { return ty >= Ty::S2 && ty <= Ty::S64; }
inline bool isFloat(Ty ty) { return ty >= Ty::F16 && ty <= Ty::F64; }

enum class Space : uint8_t {
  Generic,
  Reg,
  Global,
  Shared,
  Local,
  Const,
  Param
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_TYPES_H
