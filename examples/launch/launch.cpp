// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// launch BUNDLE LENGTH: runs a GPU bundle with its manifest, docs/bundle.md and
// the CUDA driver API. Every value is 1, so every element of O must be 1, or 0
// where a row keeps no key. Exit status: 0 right, 1 wrong, 2 no driver.
#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

/// Calls a driver function by its name; the program ends where one fails.
template <typename... Args> static void call(const char *name, Args... args) {
  static void *driver = dlopen("libcuda.so.1", RTLD_NOW);
  void *function = driver ? dlsym(driver, name) : nullptr;
  if (function && reinterpret_cast<int (*)(Args...)>(function)(args...) == 0)
    return;
  std::cerr << name << (driver ? " failed\n" : ": no CUDA driver here\n");
  std::exit(driver ? 1 : 2);
}

/// A formula of the grid: "batch", "ceil(nq / 128)" (the page allows more).
static unsigned evaluate(const std::string &text,
                         std::map<std::string, uint64_t> &v) {
  size_t slash = text.find(" / "); // of "ceil(name / number)"
  if (slash == std::string::npos)
    return v.at(text);
  uint64_t divisor = std::stoull(text.substr(slash + 3));
  return (v.at(text.substr(5, slash - 5)) + divisor - 1) / divisor;
}

int main(int argc, char **argv) {
  if (argc != 3)
    return std::cerr << "usage: launch BUNDLE LENGTH\n", 1;
  std::string folder = argv[1], code;
  auto m = nlohmann::json::parse(std::ifstream(folder + "/manifest.json"));
  auto entry = m["entries"].back(); // the one for any packed arrays
  std::string name = entry["name"], file = m["files"].back()["name"]; // PTX
  std::getline(std::ifstream(folder + "/" + file), code, '\0');

  void *context, *module, *kernel;
  int device, shared = entry["shared_bytes"];
  call("cuInit", 0u);
  call("cuDeviceGet", &device, 0);
  call("cuDevicePrimaryCtxRetain", &context, device);
  call("cuCtxSetCurrent", context);
  call("cuModuleLoadData", &module, code.c_str());
  call("cuModuleGetFunction", &kernel, module, name.c_str());
  call("cuFuncSetAttribute", kernel, 8 /*MAX_DYNAMIC_SHARED_SIZE*/, shared);

  uint64_t n = std::stoull(argv[2]), heads = m["heads"]["q"];
  std::map<std::string, uint64_t> values = {
      {"lse", 0}, {"nq", n}, {"nk", n}, {"batch", 1}, {"heads_q", heads}};
  uint32_t one = m["type"] == "f32"   ? 0x3f800000
                 : m["type"] == "f16" ? 0x3c003c00 // two of them
                                      : 0x3f803f80;
  std::vector<uint32_t> words;
  for (std::string array : {"q", "k", "v", "o"}) { // packed [1, heads, n, dim]
    heads = m["heads"][array == "q" || array == "o" ? "q" : "kv"];
    uint64_t dim = m["dims"][array == "q" || array == "k" ? "qk" : "v"];
    words.assign(
        m["type"] == "f32" ? heads * n * dim : (heads * n * dim + 1) / 2, one);
    call("cuMemAlloc_v2", &values[array], words.size() * 4);
    call("cuMemcpyHtoD_v2", values[array], words.data(), words.size() * 4);
    values[array + "_stride_b"] = heads * n * dim;
    values[array + "_stride_h"] = n * dim;
    values[array + "_stride_n"] = dim;
  }
  std::map<std::string, uint64_t> params; // their defaults, or 1
  for (auto &param : m["params"]) {
    float real = param.value("default", 1.0f);
    params[param["name"]] = param.value("default", int64_t(1));
    if (param["type"] == "float")
      std::memcpy(&params[param["name"]], &real, sizeof(real));
  }
  std::vector<void *> pointers;
  for (auto &p : m["parameters"])
    pointers.push_back(p["value"] == "param" ? &params[p["name"]]
                                             : &values.at(p["value"]));
  unsigned size[6]; // grid and block
  for (int axis = 0; axis < 3; ++axis) {
    size[axis] = evaluate(entry["grid"][axis], values);
    size[3 + axis] = entry["block"][axis];
  }
  call("cuLaunchKernel", kernel, size[0], size[1], size[2], size[3], size[4],
       size[5], unsigned(shared), nullptr, pointers.data(), nullptr);
  call("cuMemcpyDtoH_v2", words.data(), values["o"], words.size() * 4);
  for (const char *array : {"q", "k", "v", "o"})
    call("cuMemFree_v2", values[array]);
  call("cuModuleUnload", module);

  size_t ones = 0, zeros = 0;
  int64_t slack = m["type"] == "f32" ? 64 : 0x20002; // P V is rounded
  for (uint32_t word : words) {
    ones += std::abs(int64_t(word) - one) <= slack;
    zeros += word == 0;
  }
  std::cout << name << ": " << ones << " ones and " << zeros << " zeros in "
            << words.size() << " words of O\n";
  return ones > 0 && ones + zeros == words.size() ? 0 : 1;
}
