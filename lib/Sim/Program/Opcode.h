// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An opcode with its modifiers in parts, as the counts look at it.
#ifndef FOVEA_LIB_SIM_OPCODE_H
#define FOVEA_LIB_SIM_OPCODE_H

#include "Text/Types.h"
#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace fovea::sim {

struct Opcode {
  std::vector<std::string_view> parts;
  std::vector<Ty> types; // in order

  explicit Opcode(std::string_view text) {
    for (size_t start = 0; start <= text.size();) {
      size_t dot = std::min(text.find('.', start), text.size());
      parts.push_back(text.substr(start, dot - start));
      start = dot + 1;
    }
    for (std::string_view part : parts)
      if (Ty ty = parseType(part); ty != Ty::None)
        types.push_back(ty);
  }
  std::string_view base() const { return parts[0]; }
  bool has(std::string_view part) const {
    return std::find(parts.begin() + 1, parts.end(), part) != parts.end();
  }
  bool isOneOf(std::initializer_list<std::string_view> bases) const {
    return std::find(bases.begin(), bases.end(), base()) != bases.end();
  }
  Ty type() const { return types.empty() ? Ty::None : types.back(); }
  bool hasRounding() const {
    return has("rn") || has("rz") || has("rm") || has("rp");
  }
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_OPCODE_H
