// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a pattern puts into its bundle's manifest (docs/bundle.md).
#include "BackEnds.h"

#include "fovea/Pattern/Printer.h"

using namespace fovea;

static fovea_type typeOf(pattern::ElementType type) {
  switch (type) {
  case pattern::ElementType::F32:
    return FOVEA_F32;
  case pattern::ElementType::F16:
    return FOVEA_F16;
  case pattern::ElementType::BF16:
    return FOVEA_BF16;
  }
  llvm_unreachable("all element types are handled");
}

static runtime::RequirementKind kindOf(pattern::RequirementKind kind) {
  switch (kind) {
  case pattern::RequirementKind::NonZero:
    return runtime::RequirementKind::NonZero;
  case pattern::RequirementKind::AtLeastOne:
    return runtime::RequirementKind::AtLeastOne;
  case pattern::RequirementKind::Finite:
    return runtime::RequirementKind::Finite;
  }
  llvm_unreachable("all requirements are handled");
}

runtime::Manifest fovea::manifestOf(const pattern::Pattern &pattern) {
  runtime::Manifest manifest;
  manifest.compiler = std::string("fovea ") + compilerVersion();
  manifest.name = pattern.name;
  manifest.pattern = print(pattern);
  manifest.type = typeOf(pattern.type);
  manifest.headsQ = pattern.queryHeads;
  manifest.headsKv = pattern.kvHeads;
  manifest.dimQk = pattern.qkDim;
  manifest.dimV = pattern.vDim;
  for (const pattern::Param &param : pattern.params)
    manifest.params.push_back({param.name,
                               param.type == pattern::ParamType::Float,
                               param.intDefault, param.floatDefault});
  for (const pattern::Requirement &requirement : pattern.requirements)
    manifest.requirements.push_back(
        {kindOf(requirement.kind), requirement.expression,
         static_cast<int64_t>(requirement.loc.line),
         static_cast<int64_t>(requirement.loc.column), requirement.message});
  manifest.parameters = runtime::standardParameters(manifest.params);
  return manifest;
}
