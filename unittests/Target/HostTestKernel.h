// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs hand-written tile kernels on the host, for the tests of the back end
// alone: text with holes -> module -> object -> functions, arrays of any
// strides, and the same attention by a plain loop in double.
#ifndef FOVEA_UNITTESTS_TARGET_HOSTTESTKERNEL_H
#define FOVEA_UNITTESTS_TARGET_HOSTTESTKERNEL_H

#include "fovea/Target/Host/Host.h"
#include <cmath>
#include <functional>
#include <random>

namespace fovea::host::test {

enum class Storage { F32, F16, BF16 };

/// The size and the pattern of a kernel, as the text needs them.
struct KernelText {
  Storage storage = Storage::F32;
  int64_t qkDim = 64, vDim = 64;
  int64_t qHeads = 1, kvHeads = 1;
  int64_t rows = 64, keys = 64;
  std::string walk; ///< body of walk(%t): defines %any, %all, %until
  std::string keep; ///< body of keep(%qi, %ki): defines %keep
  std::string keepName = "keep"; ///< or what it is called instead
  std::string score;             ///< body of score(%x, %qi, %ki): defines %y
  std::string prologue;          ///< more scalars of the kernel
  std::vector<std::string> intParams; ///< i64 params, visible as %name
};

/// Causal under `align end`, the tile form of `mask causal`, base-2 scale.
KernelText causalText();
/// The text of the tile kernel @kernel.
std::string print(const KernelText &text);

/// One [B, H, N, D] array in the storage type, rows `padding` elements apart
/// from dense, ending with its last element, so that a read past the end can be
/// seen.
struct Array {
  Storage storage;
  int64_t batch, heads, length, dim, strideN, strideH, strideB;
  std::vector<float> f32;
  std::vector<uint16_t> half;

  Array(Storage storage, int64_t batch, int64_t heads, int64_t length,
        int64_t dim, int64_t padding = 0);
  int64_t index(int64_t b, int64_t h, int64_t n, int64_t d) const {
    return b * strideB + h * strideH + n * strideN + d;
  }
  void set(int64_t index, float value);
  double get(int64_t index) const;
  void *elsewhere = nullptr; ///< where a kernel finds the array, if not here
  void *data() {
    void *here = storage == Storage::F32 ? (void *)f32.data() : half.data();
    return elsewhere ? elsewhere : here;
  }
  size_t bytes() const { return 4 * f32.size() + 2 * half.size(); }
  void fillRandom(unsigned seed);
};

struct Problem {
  KernelText text;
  int64_t batch = 1, nq = 64, nk = 64;
  std::vector<int64_t> intParams;
  /// The pattern itself: is (q, k) kept, and the natural logit of s = <Q, K>.
  std::function<bool(int64_t q, int64_t k)> kept;
  std::function<double(double s, int64_t q, int64_t k)> logit;
};

struct Outcome {
  double maxError = 0;    ///< of O, over max |V|
  double maxLSEError = 0; ///< absolute; rows of -inf must agree exactly
  bool nonFinite = false; ///< a NaN or infinity where the reference has none
  std::array<int64_t, 3> counts{};
  int64_t keptPairs = 0;
};

class Compiled {
public:
  /// `lanes` other than 0 replaces the instruction set's own.
  static llvm::Expected<std::unique_ptr<Compiled>>
  create(const KernelText &text, const InstructionSet &set, int64_t lanes = 0);
  static std::unique_ptr<Compiled> createOrDie(const KernelText &text);

  void run(const Problem &problem, Array &q, Array &k, Array &v, Array &o,
           std::vector<float> &lse, std::array<int64_t, 3> &counts) const;

  std::unique_ptr<JITKernel>
      kernel; ///< owns the functions; null if they are not ours
  JITKernel::Function function = nullptr;
  JITKernel::TilesFunction tiles = nullptr;
  int64_t scratchBytes = 0;
  llvm::SmallVector<char, 0> object;
};

/// O and LSE by a plain loop in double over what the arrays hold.
Outcome compare(const Problem &problem, Array &q, Array &k, Array &v, Array &o,
                const std::vector<float> &lse);

/// Causal attention under `align end`, one head.
Problem causal(Storage storage, int64_t nq, int64_t nk, int64_t qkDim,
               int64_t vDim);
/// Checks the errors of O (over max |V|) and of the LSE, and the count of
/// pairs.
void expectClose(const Outcome &outcome, double tolerance);

/// Random arrays, run, compare.
Outcome runRandom(const Compiled &compiled, const Problem &problem,
                  unsigned seed = 1, int64_t padding = 0);

} // namespace fovea::host::test

#endif // FOVEA_UNITTESTS_TARGET_HOSTTESTKERNEL_H
