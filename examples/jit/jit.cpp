// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a pattern in memory and runs it on two lengths. Every value is 1, so
// every element of O must be 1, and LSE is 8 + the log of the keys kept.
#include "fovea/Compiler.h"
#include <cmath>
#include <iostream>

int main() {
  const char *text = "pattern near { heads q = 4, kv = 2  dim 64  type f32 "
                     "param w : int  mask window(w - 1, 0) }";
  auto kernel = fovea::compile(text);
  std::cerr << fovea::pattern::render(kernel.diagnostics, text);
  if (!kernel)
    return kernel.status;

  fovea_param width{"w", FOVEA_INT, 100, 0};
  for (int64_t n : {64, 1000}) {
    std::vector<float> q(4 * n * 64, 1), kv(2 * n * 64, 1), o(4 * n * 64);
    std::vector<float> lse(4 * n);
    fovea_launch launch;
    fovea_launch_init(&launch);
    launch.q = {
        q.data(), FOVEA_F32, {1, 4, n, 64}, {4 * n * 64, n * 64, 64, 1}};
    launch.k = launch.v = {
        kv.data(), FOVEA_F32, {1, 2, n, 64}, {2 * n * 64, n * 64, 64, 1}};
    launch.o = launch.q;
    launch.o.data = o.data();
    launch.lse = lse.data();
    launch.params = &width;
    launch.num_params = 1;
    if (fovea_kernel_launch(kernel->get(), &launch) != FOVEA_OK)
      return std::cerr << fovea_last_error() << "\n", 1;
    double keys = std::exp(lse.back() - 8), error = std::abs(o.back() - 1);
    std::cout << n << " keys, of which the last query keeps "
              << std::round(keys) << "; O is off by " << error << "\n";
    if (error > 1e-5 || std::abs(keys - (n < 100 ? n : 100)) > 1e-2)
      return 1;
  }
}
