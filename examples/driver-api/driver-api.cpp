// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// driver-api [KERNEL.ptx]: a program of the CUDA driver API that knows nothing
// of Fovea. Its kernel adds a x to y and sums the result: a reduction in shared
// memory, then an atomic addition. It runs on a GPU, and on the simulator:
//   LD_LIBRARY_PATH=build/lib/sim build/bin/example-driver-api
// Exit status: 0 right, 1 wrong, 2 no driver.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Half of the block adds the other half's values, until one is left.
static const char *kernelText = R"(
.version 7.0
.target sm_80
.address_size 64
.visible .entry saxpy_sum(.param .u64 y_param, .param .u64 x_param,
                          .param .f32 a_param, .param .u32 n_param,
                          .param .u64 sum_param)
{
  .reg .pred %p<4>;
  .reg .b32 %r<12>;
  .reg .f32 %f<8>;
  .reg .b64 %rd<8>;
  .shared .align 4 .b8 partial[1024];

  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %ctaid.x;
  mad.lo.s32 %r4, %r3, %r2, %r1;
  ld.param.u32 %r5, [n_param];
  mov.f32 %f1, 0f00000000;
  setp.ge.u32 %p1, %r4, %r5;
  @%p1 bra STORE;
  ld.param.u64 %rd1, [x_param];
  ld.param.u64 %rd2, [y_param];
  cvta.to.global.u64 %rd1, %rd1;
  cvta.to.global.u64 %rd2, %rd2;
  mul.wide.u32 %rd3, %r4, 4;
  add.s64 %rd1, %rd1, %rd3;
  add.s64 %rd2, %rd2, %rd3;
  ld.param.f32 %f2, [a_param];
  ld.global.f32 %f3, [%rd1];
  ld.global.f32 %f4, [%rd2];
  fma.rn.f32 %f1, %f2, %f3, %f4;
  st.global.f32 [%rd2], %f1;
STORE:
  mov.u32 %r6, partial;
  shl.b32 %r7, %r1, 2;
  add.s32 %r7, %r6, %r7;
  st.shared.f32 [%r7], %f1;
  shr.u32 %r8, %r2, 1;
HALVE:
  bar.sync 0;
  setp.ge.u32 %p2, %r1, %r8;
  @%p2 bra NEXT;
  shl.b32 %r9, %r8, 2;
  add.s32 %r9, %r7, %r9;
  ld.shared.f32 %f5, [%r9];
  ld.shared.f32 %f6, [%r7];
  add.f32 %f6, %f6, %f5;
  st.shared.f32 [%r7], %f6;
NEXT:
  shr.u32 %r8, %r8, 1;
  setp.ne.u32 %p3, %r8, 0;
  @%p3 bra HALVE;
  setp.ne.u32 %p2, %r1, 0;
  @%p2 bra DONE;
  ld.shared.f32 %f7, [partial];
  ld.param.u64 %rd4, [sum_param];
  cvta.to.global.u64 %rd4, %rd4;
  red.global.add.f32 [%rd4], %f7;
DONE:
  ret;
}
)";

/// A function of the driver, or null.
static void *driver(const char *name) {
  static void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library)
    std::fprintf(stderr, "no CUDA driver here\n"), std::exit(2);
  return dlsym(library, name);
}

/// Calls a driver function by its name; the program ends where one fails.
template <typename... Args> static void call(const char *name, Args... args) {
  void *function = driver(name);
  int result =
      function ? reinterpret_cast<int (*)(Args...)>(function)(args...) : -1;
  if (result == 0)
    return;
  const char *text = "there is no such function";
  if (function)
    reinterpret_cast<int (*)(int, const char **)>(driver("cuGetErrorString"))(
        result, &text);
  std::fprintf(stderr, "%s: error %d, %s\n", name, result, text);
  std::exit(1);
}

int main(int argc, char **argv) {
  std::string code = kernelText;
  if (argc > 1) {
    std::ifstream file(argv[1]);
    code.assign(std::istreambuf_iterator<char>(file), {});
  }
  int device = 0, version = 0, major = 0, minor = 0;
  char name[100];
  void *context = nullptr, *module = nullptr, *kernel = nullptr,
       *stream = nullptr, *start = nullptr, *end = nullptr;
  call("cuInit", 0u);
  call("cuDriverGetVersion", &version);
  call("cuDeviceGet", &device, 0);
  call("cuDeviceGetName", name, int(sizeof(name)), device);
  call("cuDeviceGetAttribute", &major, 75, device);
  call("cuDeviceGetAttribute", &minor, 76, device);
  std::printf("%s, compute capability %d.%d, CUDA %d.%d\n", name, major, minor,
              version / 1000, version % 1000 / 10);
  call("cuCtxCreate_v2", &context, 0u, device);
  call("cuStreamCreate", &stream, 1u);
  call("cuEventCreate", &start, 0u);
  call("cuEventCreate", &end, 0u);
  call("cuModuleLoadData", &module, code.c_str());
  call("cuModuleGetFunction", &kernel, module, "saxpy_sum");

  unsigned n = 10000, threads = 256, blocks = (n + threads - 1) / threads;
  float a = 0.5f, sum = 0;
  std::vector<float> x(n), y(n), result(n);
  for (unsigned i = 0; i < n; ++i) // small integers: every sum is exact
    x[i] = float(i % 17), y[i] = float(i % 5);
  unsigned long long onDevice[3];
  for (unsigned long long &pointer : onDevice)
    call("cuMemAlloc_v2", &pointer, size_t(n) * sizeof(float));
  call("cuMemcpyHtoDAsync_v2", onDevice[0], y.data(), n * sizeof(float),
       stream);
  call("cuMemcpyHtoDAsync_v2", onDevice[1], x.data(), n * sizeof(float),
       stream);
  call("cuMemsetD32Async", onDevice[2], 0u, size_t(1), stream);
  void *parameters[] = {&onDevice[0], &onDevice[1], &a, &n, &onDevice[2]};
  call("cuEventRecord", start, stream);
  call("cuLaunchKernel", kernel, blocks, 1u, 1u, threads, 1u, 1u, 0u, stream,
       static_cast<void **>(parameters), static_cast<void **>(nullptr));
  call("cuEventRecord", end, stream);
  call("cuMemcpyDtoHAsync_v2", result.data(), onDevice[0], n * sizeof(float),
       stream);
  call("cuMemcpyDtoHAsync_v2", &sum, onDevice[2], sizeof(sum), stream);
  call("cuStreamSynchronize", stream);
  float milliseconds = 0;
  call("cuEventElapsedTime", &milliseconds, start, end);

  unsigned wrong = 0;
  float expected = 0;
  for (unsigned i = 0; i < n; ++i) {
    wrong += result[i] != a * x[i] + y[i];
    expected += a * x[i] + y[i];
  }
  std::printf("%u of %u elements wrong, sum %g, expected %g\n", wrong, n, sum,
              expected);
  for (unsigned long long pointer : onDevice)
    call("cuMemFree_v2", pointer);
  call("cuModuleUnload", module);
  call("cuCtxDestroy_v2", context);
  return wrong == 0 && sum == expected && milliseconds > 0 ? 0 : 1;
}
