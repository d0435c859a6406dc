// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a launch file to buffers, parameters, a launch and a comparison.
#include "Case.h"
#include "Bounds.h"
#include "Npy.h"
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace fovea::sim {

using nlohmann::json;

namespace {

size_t dtypeBytes(const std::string &dtype) {
  static const std::map<std::string, size_t> sizes = {
      {"f64", 8}, {"f32", 4}, {"f16", 2}, {"bf16", 2}, {"i8", 1},  {"u8", 1},
      {"u16", 2}, {"i16", 2}, {"i32", 4}, {"u32", 4},  {"i64", 8}, {"u64", 8}};
  auto found = sizes.find(dtype);
  if (found == sizes.end())
    throw std::runtime_error("unknown dtype '" + dtype + "'");
  return found->second;
}

template <class T> T loadAs(const uint8_t *at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

double valueAt(const std::vector<uint8_t> &bytes, size_t index,
               const std::string &dtype) {
  const uint8_t *at = bytes.data() + index * dtypeBytes(dtype);
  if (dtype == "f64")
    return loadAs<double>(at);
  if (dtype == "f32")
    return loadAs<float>(at);
  if (dtype == "f16")
    return static_cast<double>(loadAs<_Float16>(at));
  if (dtype == "bf16") {
    uint32_t bits = uint32_t(loadAs<uint16_t>(at)) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
  }
  if (dtype == "i8")
    return loadAs<int8_t>(at);
  if (dtype == "u8")
    return *at;
  if (dtype == "i16")
    return loadAs<int16_t>(at);
  if (dtype == "u16")
    return loadAs<uint16_t>(at);
  if (dtype == "i32")
    return loadAs<int32_t>(at);
  if (dtype == "u32")
    return loadAs<uint32_t>(at);
  if (dtype == "i64")
    return static_cast<double>(loadAs<int64_t>(at));
  return static_cast<double>(loadAs<uint64_t>(at));
}

struct Buffer {
  std::string dtype;
  uint64_t address = 0;
  std::vector<uint8_t> expected; // the file's bytes
};

class Runner {
public:
  Runner(const std::string &ptx, const json &launch, const std::string &folder)
      : launch(launch), folder(folder), module(device.load(ptx)),
        kernel(device.kernel(*module, launch.at("entry"))) {}

  CaseResult run(const CaseOptions &options);

private:
  uint64_t bufferOf(const std::string &file, const std::string &dtype);
  void setParam(size_t index, const void *value, size_t bytes);
  void setArgument(size_t index, const json &arg);
  void setTensorMap(size_t index, const json &map);
  OutputResult compare(const Buffer &buffer, const json &tolerance);

  const json &launch;
  std::string folder;
  Device device;
  std::shared_ptr<LoadedModule> module;
  KernelInfo kernel;
  std::map<std::string, Buffer> buffers;
  std::vector<uint8_t> params;
};

uint64_t Runner::bufferOf(const std::string &file, const std::string &dtype) {
  auto [entry, isNew] = buffers.emplace(file, Buffer());
  Buffer &buffer = entry->second;
  if (!isNew)
    return buffer.address;
  buffer.dtype = dtype;
  buffer.expected = readNpy(folder + "/" + file).bytes;
  size_t bytes = buffer.expected.size();
  buffer.address = device.allocate(bytes, file);
  const json &outputs = launch.at("outputs");
  if (!outputs.contains(file)) {
    device.copyIn(buffer.address, buffer.expected.data(), bytes);
  } else if (outputs[file].contains("init")) {
    std::vector<uint8_t> init =
        readNpy(folder + "/" + outputs[file]["init"].get<std::string>()).bytes;
    if (init.size() != bytes)
      throw std::runtime_error("initial value of '" + file + "' has " +
                               std::to_string(init.size()) +
                               " bytes, but expected " + std::to_string(bytes));
    device.copyIn(buffer.address, init.data(), bytes);
  } else {
    device.fill(buffer.address, 0, bytes);
  }
  return buffer.address;
}

void Runner::setParam(size_t index, const void *value, size_t bytes) {
  if (index >= kernel.paramSizes.size())
    throw std::runtime_error("kernel '" + kernel.name + "' takes " +
                             std::to_string(kernel.paramSizes.size()) +
                             " arguments, but got more");
  if (kernel.paramSizes[index] != bytes)
    throw std::runtime_error("argument " + std::to_string(index) + " of '" +
                             kernel.name + "' has " +
                             std::to_string(kernel.paramSizes[index]) +
                             " bytes, but got " + std::to_string(bytes));
  std::memcpy(params.data() + kernel.paramOffsets[index], value, bytes);
}

TensorElement elementOf(const std::string &dtype) {
  static const std::map<std::string, TensorElement> elements = {
      {"u8", TensorElement::U8},   {"i8", TensorElement::U8},
      {"u16", TensorElement::U16}, {"i16", TensorElement::U16},
      {"u32", TensorElement::U32}, {"i32", TensorElement::S32},
      {"u64", TensorElement::U64}, {"i64", TensorElement::S64},
      {"f16", TensorElement::F16}, {"bf16", TensorElement::BF16},
      {"f32", TensorElement::F32}, {"f64", TensorElement::F64}};
  auto found = elements.find(dtype);
  if (found == elements.end())
    throw std::runtime_error("unknown dtype '" + dtype + "' of a tensor map");
  return found->second;
}

void Runner::setTensorMap(size_t index, const json &map) {
  static const std::map<std::string, uint32_t> swizzles = {
      {"none", 0}, {"32B", 1}, {"64B", 2}, {"128B", 3}};
  std::string dtype = map.at("dtype");
  TensorMapDesc desc;
  desc.address = bufferOf(map.at("buffer"), dtype);
  desc.element = elementOf(dtype);
  desc.rank = static_cast<uint32_t>(map.at("dims").size());
  for (uint32_t i = 0; i < desc.rank; ++i) {
    desc.dims[i] = map["dims"][i];
    desc.box[i] = map.at("box")[i];
    if (map.contains("element_strides"))
      desc.elementStrides[i] = map["element_strides"][i];
    if (i)
      desc.strides[i] = map.at("strides_bytes")[i - 1];
  }
  auto swizzle = swizzles.find(map.value("swizzle", "none"));
  if (swizzle == swizzles.end())
    throw std::runtime_error("unknown swizzle of argument " +
                             std::to_string(index));
  desc.swizzle = swizzle->second;
  desc.oobNan = map.value("oob", "zero") != "zero";
  uint8_t encoded[128];
  encodeTensorMap(desc, encoded);
  setParam(index, encoded, sizeof encoded);
}

void Runner::setArgument(size_t index, const json &arg) {
  if (arg.contains("buffer")) {
    uint64_t address = bufferOf(arg["buffer"], arg.at("dtype"));
    setParam(index, &address, 8);
  } else if (arg.contains("tensor_map")) {
    setTensorMap(index, arg["tensor_map"]);
  } else if (arg.contains("i32")) {
    auto value = static_cast<int32_t>(arg["i32"].get<int64_t>());
    setParam(index, &value, 4);
  } else if (arg.contains("i64")) {
    int64_t value = arg["i64"];
    setParam(index, &value, 8);
  } else if (arg.contains("f32")) {
    float value = arg["f32"];
    setParam(index, &value, 4);
  } else if (arg.contains("null")) {
    uint64_t value = 0;
    setParam(index, &value, 8);
  } else {
    throw std::runtime_error("unknown kind of argument " +
                             std::to_string(index));
  }
}

/// FNV-1a.
uint64_t digestOf(const std::vector<uint8_t> &bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint8_t byte : bytes)
    hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

OutputResult Runner::compare(const Buffer &buffer, const json &tolerance) {
  std::vector<uint8_t> got(buffer.expected.size());
  device.copyOut(got.data(), buffer.address, got.size());
  double atol = tolerance.value("atol", 0.0),
         rtol = tolerance.value("rtol", 0.0);
  size_t element = dtypeBytes(buffer.dtype);
  bool isFloat = buffer.dtype.find('f') != std::string::npos;
  OutputResult result;
  result.digest = digestOf(got);
  for (size_t i = 0; i < got.size() / element; ++i) {
    if (!std::memcmp(got.data() + i * element,
                     buffer.expected.data() + i * element, element))
      continue;
    double a = valueAt(got, i, buffer.dtype);
    double b = valueAt(buffer.expected, i, buffer.dtype);
    double error = std::fabs(a - b);
    // Integers beyond 2^53 differ though their doubles do not.
    bool good = error <= atol + rtol * std::fabs(b) && (isFloat || error > 0);
    if (std::isnan(a) && std::isnan(b))
      good = true, error = 0;
    if (!(error <= result.maxAbsError))
      result.maxAbsError = error;
    if (!good)
      ++result.mismatches;
  }
  result.ok = result.mismatches == 0;
  return result;
}

Dim3 dim3Of(const json &list) { return {list[0], list[1], list[2]}; }

CaseResult Runner::run(const CaseOptions &options) {
  params.resize(kernel.paramBytes);
  size_t index = 0;
  for (const json &arg : launch.at("args"))
    setArgument(index++, arg);
  if (index != kernel.paramSizes.size())
    throw std::runtime_error("kernel '" + kernel.name + "' takes " +
                             std::to_string(kernel.paramSizes.size()) +
                             " arguments, but got " + std::to_string(index));
  LaunchConfig config;
  config.grid = dim3Of(launch.at("grid"));
  config.block = dim3Of(launch.at("block"));
  if (launch.contains("cluster"))
    config.cluster = dim3Of(launch["cluster"]);
  config.dynamicSharedBytes = launch.value("dynamic_shared_bytes", 0u);
  config.checks = options.checks;
  config.seed = options.seed;
  config.exactTensorSums = options.exactTensorSums;
  config.perturbApprox = options.perturbApprox;
  config.count = options.count;
  config.threads = options.threads;
  config.output = options.printed;
  config.limit = options.limit;
  CaseResult result;
  auto start = std::chrono::steady_clock::now();
  result.launch =
      device.launch(*module, kernel.name, config, params.data(), params.size());
  std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;
  result.seconds = elapsed.count();
  for (const auto &[name, tolerance] : launch.at("outputs").items()) {
    auto buffer = buffers.find(name);
    if (buffer == buffers.end())
      throw std::runtime_error("output '" + name + "' is no argument");
    result.outputs[name] = compare(buffer->second, tolerance);
  }
  return result;
}

} // namespace

bool CaseResult::outputsOk() const {
  for (const auto &[name, output] : outputs)
    if (!output.ok)
      return false;
  return launch.completed;
}

CaseResult runCase(const std::string &ptx, const json &launch,
                   const std::string &folder, const CaseOptions &options) {
  return Runner(ptx, launch, folder).run(options);
}

json reportOf(const CaseResult &result) {
  json report;
  report["findings"] = json::array();
  for (const Finding &f : result.launch.findings) {
    json item = {{"kind", f.kind},
                 {"kernel", f.kernel},
                 {"line", f.line},
                 {"other_line", nullptr},
                 {"cta", {f.cta.x, f.cta.y, f.cta.z}},
                 {"warp", f.warp},
                 {"lane", f.lane},
                 {"address", f.address},
                 {"allocation", f.allocation},
                 {"message", f.message},
                 {"occurrences", f.occurrences}};
    if (f.otherLine)
      item["other_line"] = f.otherLine;
    report["findings"].push_back(std::move(item));
  }
  report["outputs"] = json::object();
  for (const auto &[name, output] : result.outputs)
    report["outputs"][name] = {{"ok", output.ok},
                               {"max_abs_error", output.maxAbsError},
                               {"digest", output.digest}};
  report["completed"] = result.launch.completed;
  report["warp_instructions"] = result.launch.warpInstructions;
  report["seconds"] = result.seconds;
  if (!result.launch.counts.empty()) {
    report["counts"] = countsOf(result.launch);
    report["bounds"] = boundsOf(result.launch);
  }
  return report;
}

} // namespace fovea::sim
