// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A packed f32 tensor for tests, and a pattern from one line of text.

#ifndef FOVEA_UNITTESTS_REFERENCE_TESTTENSOR_H
#define FOVEA_UNITTESTS_REFERENCE_TESTTENSOR_H

#include "fovea/Pattern/Parser.h"
#include "fovea/fovea_runtime.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace fovea::reference {

struct TestTensor {
  TestTensor(int64_t b, int64_t h, int64_t n, int64_t d,
             std::vector<float> data = {})
      : shape{b, h, n, d}, values(std::move(data)) {
    values.resize(b * h * n * d);
  }

  void fillNormal(unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float &value : values)
      value = normal(random);
  }

  float &at(int64_t b, int64_t h, int64_t n, int64_t d) {
    return values[((b * shape[1] + h) * shape[2] + n) * shape[3] + d];
  }

  fovea_tensor view() {
    return {values.data(),
            FOVEA_F32,
            {shape[0], shape[1], shape[2], shape[3]},
            {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1}};
  }

  int64_t shape[4];
  std::vector<float> values;
};

inline pattern::Pattern parse(const std::string &body) {
  pattern::ParseResult result =
      pattern::parsePattern("pattern t { type f32 " + body + " }", "t");
  EXPECT_TRUE(result) << body << pattern::render(result.diagnostics, body);
  return result ? *result.pattern : pattern::Pattern();
}

} // namespace fovea::reference

#endif // FOVEA_UNITTESTS_REFERENCE_TESTTENSOR_H
