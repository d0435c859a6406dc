// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expected values come from the definition of softmax, in double, with all
// probabilities of a row at once; the kernel computes online and in f32.

#include "TinyAttention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace tiny;

static void replace(std::string &text, const std::string &from,
                    const std::string &to) {
  text.replace(text.find(from), from.size(), to);
}

static std::string parameter(const std::string &value,
                             const std::string &type) {
  return R"({"name": ")" + value + R"(", "type": ")" + type +
         R"(", "value": ")" + value + "\"},\n    ";
}

std::string tiny::manifest(const std::string &target,
                           const std::string &files) {
  std::string text = R"json({
  "format": "fovea-bundle",
  "version": 1,
  "compiler": "by hand",
  "name": "tiny",
  "pattern": "pattern tiny { heads q = 4, kv = 2  dim qk = 5, v = 3  type f32  param w : int  param c : float = 3.0  mask window(w, 0)  score softcap(s, c) }",
  "target": "TARGET",
  "instruction_set": [],
  "files": [FILES],
  "type": "f32",
  "heads": {"q": 4, "kv": 2},
  "dims": {"qk": 5, "v": 3},
  "tile": {"m": 4, "n": 8},
  "params": [{"name": "w", "type": "int"}, {"name": "c", "type": "float", "default": 3.0}],
  "requirements": [{"kind": "finite", "expression": "1.0 / c", "line": 1, "column": 128, "message": "expected 1 / c to be finite"},
                   {"kind": "nonzero", "expression": "w - h", "line": 1, "column": 5, "message": "the divisor is zero"}],
  "parameters": [PARAMETERS
    {"name": "w", "type": "i64", "value": "param"},
    {"name": "c", "type": "f32", "value": "param"}],
  "entries": [{"name": "tiny_attention", "alignment": 4, "grid": ["ceil(nq / 4)", "heads_q", "batch"],
    "block": [1, 1, 1], "shared_bytes": 0, "scratch_bytes": 20, "tiles": "tiny_attention_tiles"}]
})json";
  std::string parameters;
  for (const char *name : {"q", "k", "v", "o", "lse"})
    parameters += parameter(name, "pointer");
  for (const char *stride :
       {"q_stride_b", "q_stride_h", "q_stride_n", "k_stride_b", "k_stride_h",
        "k_stride_n", "v_stride_b", "v_stride_h", "v_stride_n", "o_stride_b",
        "o_stride_h", "o_stride_n"})
    parameters += parameter(stride, "i64");
  parameters += parameter("nq", "i64") + parameter("nk", "i64");
  replace(text, "TARGET", target);
  replace(text, "FILES", files);
  replace(text, "PARAMETERS", parameters);
  return text;
}

Storage::Storage(int64_t b, int64_t h, int64_t n, int64_t d, int64_t padding,
                 unsigned seed) {
  // The layout [b, n, h, d], so that no stride is that of a packed array.
  int64_t row = d + padding;
  buffer.assign(b * n * h * row + padding, marker);
  tensor = {buffer.data() + padding,
            FOVEA_F32,
            {b, h, n, d},
            {n * h * row, row, h * row, 1}};
  std::mt19937 random(seed);
  for (int64_t i = 0; i < b * n * h; ++i)
    for (int64_t j = 0; j < d; ++j)
      buffer[padding + i * row + j] =
          static_cast<float>(random() % 4001) / 1000.0f - 2.0f;
}

float Storage::at(int64_t b, int64_t h, int64_t n, int64_t d) const {
  const int64_t *s = tensor.strides;
  return static_cast<float *>(tensor.data)[b * s[0] + h * s[1] + n * s[2] + d];
}

bool Storage::gapsAreUntouched() const {
  int64_t d = tensor.shape[3], row = tensor.strides[1];
  int64_t padding = row - d;
  for (int64_t i = 0; i < static_cast<int64_t>(buffer.size()); ++i)
    if ((i < padding || (i - padding) % row >= d) && buffer[i] != marker)
      return false;
  return true;
}

Problem::Problem(int64_t batch, int64_t nq, int64_t nk, int64_t padding)
    : batch(batch), nq(nq), nk(nk), q(batch, headsQ, nq, dimQk, padding, 1),
      k(batch, headsKv, nk, dimQk, padding, 2),
      v(batch, headsKv, nk, dimV, padding, 3),
      o(batch, headsQ, nq, dimV, padding, 4), lse(batch * headsQ * nq, 77),
      params{} {}

fovea_launch Problem::launch() {
  params[0] = {"w", FOVEA_INT, w, 0};
  params[1] = {"c", FOVEA_FLOAT, 0, c};
  fovea_launch launch;
  fovea_launch_init(&launch);
  launch.q = q.tensor;
  launch.k = k.tensor;
  launch.v = v.tensor;
  launch.o = o.tensor;
  launch.lse = lse.data();
  launch.params = params;
  launch.num_params = 2;
  return launch;
}

bool Problem::keeps(int64_t i, int64_t j) const {
  int64_t position = i + nk - nq;
  return position - w <= j && j <= position;
}

double Problem::maxError() const {
  double worst = 0;
  for (int64_t row = 0; row < batch * headsQ * nq; ++row) {
    int64_t i = row % nq, h = row / nq % headsQ, b = row / nq / headsQ;
    double sum = 0, expected[dimV] = {};
    for (int64_t j = 0; j < nk; ++j) {
      if (!keeps(i, j))
        continue;
      double s = 0;
      for (int64_t d = 0; d < dimQk; ++d)
        s += double(q.at(b, h, i, d)) * k.at(b, h / 2, j, d);
      double p = std::exp(c * std::tanh(s / std::sqrt(double(dimQk)) / c));
      sum += p;
      for (int64_t d = 0; d < dimV; ++d)
        expected[d] += p * v.at(b, h / 2, j, d);
    }
    for (int64_t d = 0; d < dimV; ++d) {
      double value = sum > 0 ? expected[d] / sum : 0;
      worst = std::max(worst, std::fabs(value - o.at(b, h, i, d)));
    }
    double difference =
        sum > 0 ? std::fabs(std::log(sum) - lse[row])
                : (lse[row] == -std::numeric_limits<float>::infinity() ? 0 : 1);
    // A NaN compares false, so ask for what is good.
    worst = difference <= worst ? worst : difference;
  }
  return worst;
}
