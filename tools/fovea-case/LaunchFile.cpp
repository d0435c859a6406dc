// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// launch.json by the manifest: see the header.
//
// Tolerances. With u the unit roundoff of the storage type, P is rounded to it
// before the product with V, which moves O by at most u max|V|, and O itself is
// rounded, here and in the expected array: atol = u max|V|, rtol = 2 u. In f32
// the error is that of the logits (up to about 40, sums of D products) times
// max|V|, a few units of 2^-22. LSE is f32 throughout, whatever the type.
#include "LaunchFile.h"

#include "fovea/Runtime/Expression.h"
#include "fovea/Runtime/Files.h"

#include <nlohmann/json.hpp>

using namespace fovea;
using namespace fovea::cases;
using nlohmann::ordered_json;
using runtime::Status;

namespace {

struct Tolerance {
  double atol = 0, rtol = 0;
};

Tolerance toleranceOfO(fovea_type type, double largestValue) {
  switch (type) {
  case FOVEA_BF16:
    return {0x1p-8 * largestValue, 0x1p-7};
  case FOVEA_F16:
    return {0x1p-11 * largestValue, 0x1p-10};
  default:
    return {4e-6 * largestValue, 0};
  }
}

constexpr Tolerance toleranceOfLSE = {5e-6, 5e-7};

/// Version 1.0 of the format, one dimension; bf16 as uint16.
std::string npy(fovea_type type, const void *data, size_t bytes) {
  const char *descr = type == FOVEA_F32   ? "<f4"
                      : type == FOVEA_F16 ? "<f2"
                                          : "<u2";
  size_t count = bytes / runtime::typeSize(type);
  std::string header = std::string("{'descr': '") + descr +
                       "', 'fortran_order': False, 'shape': (" +
                       std::to_string(count) + ",), }";
  constexpr size_t prefix = 10;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 0xff);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  return text.append(static_cast<const char *>(data), bytes);
}

class Writer {
public:
  Writer(const LaunchRequest &request, Arrays &arrays,
         const std::string &folder)
      : request(request), arrays(arrays), folder(folder) {}

  Status run();

private:
  const LaunchRequest &request;
  Arrays &arrays;
  const std::string &folder;

  int64_t kvHeads() const {
    int64_t group = request.manifest.headsQ / request.manifest.headsKv;
    return (request.heads + group - 1) / group;
  }
  Status write(const std::string &name, const std::string &text) const {
    return runtime::writeFileAtomically(folder + "/" + name, {text});
  }
  Status writeArray(const std::string &name, const Array &array, int64_t heads);
  Status writeLSE(const std::string &name, const std::vector<float> &values);
  ordered_json argument(const runtime::ManifestParameter &parameter) const;
  ordered_json paramValue(const std::string &name) const;
  Array &arrayOf(char name) const;
};

Status Writer::writeArray(const std::string &name, const Array &array,
                          int64_t heads) {
  std::vector<uint8_t> bytes = array.firstHeads(heads);
  return write(name, npy(array.type, bytes.data(), bytes.size()));
}

Status Writer::writeLSE(const std::string &name,
                        const std::vector<float> &values) {
  return write(name, npy(FOVEA_F32, values.data(),
                         request.heads * request.shape.nq * 4));
}

Array &Writer::arrayOf(char name) const {
  return name == 'q'   ? arrays.q
         : name == 'k' ? arrays.k
         : name == 'v' ? arrays.v
                       : arrays.o;
}

ordered_json Writer::paramValue(const std::string &name) const {
  const auto &params = request.manifest.params;
  for (size_t i = 0; i < params.size(); ++i)
    if (params[i].name == name)
      return params[i].isFloat
                 ? ordered_json{{"f32", request.params[i].real}}
                 : ordered_json{{"i64", request.params[i].integer}};
  return nullptr; // the manifest's checks exclude it
}

ordered_json
Writer::argument(const runtime::ManifestParameter &parameter) const {
  const std::string &value = parameter.value;
  if (value == "param")
    return paramValue(parameter.name);
  if (value == "lse" && !request.hasLSE)
    return {{"null", true}};
  if (parameter.type == runtime::ParameterType::Pointer)
    return {{"buffer", value + ".npy"},
            {"dtype", value == "lse"
                          ? "f32"
                          : runtime::typeName(request.manifest.type)}};
  if (value == "nq" || value == "nk")
    return {{"i64", value == "nq" ? request.shape.nq : request.shape.nk}};
  fovea_tensor view = arrayOf(value[0]).view(); // q_stride_b
  size_t dim = value.back() == 'b' ? 0 : value.back() == 'h' ? 1 : 2;
  return {{"i64", view.strides[dim]}};
}

Status Writer::run() {
  const runtime::Manifest &manifest = request.manifest;
  ordered_json launch;
  launch["entry"] = request.entry.name;
  launch["target"] = manifest.target;
  for (const std::string &formula : request.entry.grid) {
    auto extent =
        runtime::evaluateInteger(formula, {{"nq", false, request.shape.nq, 0},
                                           {"nk", false, request.shape.nk, 0},
                                           {"batch", false, 1, 0},
                                           {"heads_q", false, request.heads, 0},
                                           {"heads_kv", false, kvHeads(), 0}});
    if (!extent)
      return extent.error();
    launch["grid"].push_back(*extent);
  }
  launch["block"] = request.entry.block;
  launch["dynamic_shared_bytes"] = request.entry.sharedBytes;
  for (const runtime::ManifestParameter &parameter : manifest.parameters)
    launch["args"].push_back(argument(parameter));
  Tolerance o = toleranceOfO(manifest.type, arrays.largestValue);
  launch["outputs"]["o.npy"] = {
      {"atol", o.atol}, {"rtol", o.rtol}, {"init", "o-init.npy"}};
  if (request.hasLSE)
    launch["outputs"]["lse.npy"] = {{"atol", toleranceOfLSE.atol},
                                    {"rtol", toleranceOfLSE.rtol},
                                    {"init", "lse-init.npy"}};
  launch["expect"] = "ok";
  for (Status status : {write("launch.json", launch.dump(1) + "\n"),
                        writeArray("q.npy", arrays.q, request.heads),
                        writeArray("k.npy", arrays.k, kvHeads()),
                        writeArray("v.npy", arrays.v, kvHeads()),
                        writeArray("o.npy", arrays.o, request.heads),
                        writeArray("o-init.npy", arrays.oInit, request.heads),
                        writeLSE("lse.npy", arrays.lse),
                        writeLSE("lse-init.npy", arrays.lseInit)})
    if (!status)
      return status;
  return {};
}

} // namespace

Status cases::writeLaunch(const LaunchRequest &request, Arrays &arrays,
                          const std::string &folder) {
  return Writer(request, arrays, folder).run();
}
