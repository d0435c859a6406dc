// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a launcher knows of a kernel: the C++ form of a bundle's manifest.json.
// docs/bundle.md defines every field; the names here are those of the page. The
// compiler fills one in and prints it, the runtime parses one and launches.

#ifndef FOVEA_RUNTIME_MANIFEST_H
#define FOVEA_RUNTIME_MANIFEST_H

#include "fovea/Runtime/Result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::runtime {

/// A run-time scalar of the pattern. The default is in the member that fits.
struct ManifestParam {
  std::string name;
  bool isFloat = false;
  std::optional<int64_t> intDefault;
  std::optional<float> floatDefault;

  bool operator==(const ManifestParam &) const = default;
};

enum class RequirementKind { NonZero, AtLeastOne, Finite };

/// What must hold of the params before a launch, and the error if it does not.
struct ManifestRequirement {
  RequirementKind kind = RequirementKind::NonZero;
  std::string expression;
  int64_t line = 0, column = 0; // 0: the pattern has no text
  std::string message;

  bool operator==(const ManifestRequirement &) const = default;
};

enum class FileKind { Cubin, PTX, SharedObject, Object };

struct ManifestFile {
  std::string name;
  FileKind kind = FileKind::PTX;

  bool operator==(const ManifestFile &) const = default;
};

enum class ParameterType { Pointer, I64, F32 };

/// One parameter of the kernel. `value` is a word of the page's table ("q",
/// "k_stride_n", "nk", …, "param"); `name` is the pattern's param for "param",
/// else a name for people.
struct ManifestParameter {
  std::string name;
  ParameterType type = ParameterType::I64;
  std::string value;

  bool operator==(const ManifestParameter &) const = default;
};

/// One variant of the kernel, with the alignment in bytes that it asks of the
/// arrays' addresses and strides.
struct ManifestEntry {
  std::string name;
  int64_t alignment = 1;
  std::array<std::string, 3> grid;
  std::array<int64_t, 3> block = {1, 1, 1};
  int64_t sharedBytes = 0;
  int64_t scratchBytes = 0;
  std::string tiles; // empty: none

  bool operator==(const ManifestEntry &) const = default;
};

struct Manifest {
  std::string compiler;
  std::string name;
  std::string pattern;
  std::string target; // "host" or "sm_NN"
  std::vector<std::string> instructionSet;
  std::vector<ManifestFile> files;
  fovea_type type = FOVEA_F32;
  int64_t headsQ = 1, headsKv = 1;
  int64_t dimQk = 1, dimV = 1;
  int64_t tileM = 1, tileN = 1;
  std::vector<ManifestParam> params;
  std::vector<ManifestRequirement> requirements;
  std::vector<ManifestParameter> parameters;
  std::vector<ManifestEntry> entries;

  bool isHost() const { return target == "host"; }
  bool operator==(const Manifest &) const = default;
};

/// The parameters of every kernel that this compiler makes, in order: q, k, v,
/// o, lse, their strides, nq, nk, then the pattern's params.
std::vector<ManifestParameter>
standardParameters(const std::vector<ManifestParam> &params);

/// The text of manifest.json; the same manifest gives the same bytes.
std::string printManifest(const Manifest &manifest);

/// Reads and checks a manifest. Errors are FOVEA_WRONG_INPUT and say which key
/// (as a path such as "entries[0].grid"), what was expected and what found.
Result<Manifest> parseManifest(std::string_view text);

/// "f32", "f16", "bf16", and the size of an element in bytes.
const char *typeName(fovea_type type);
int64_t typeSize(fovea_type type);

} // namespace fovea::runtime

#endif // FOVEA_RUNTIME_MANIFEST_H
