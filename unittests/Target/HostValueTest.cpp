// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values that spread if they are let, and memory that must not be touched:
// kernels on this CPU against a plain loop in double.
#include "HostTestKernel.h"

#include "gtest/gtest.h"
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

using namespace fovea::host;
using namespace fovea::host::test;

namespace {

struct Arrays {
  Array q, k, v, o;
  std::vector<float> lse;
  std::array<int64_t, 3> counts{};

  explicit Arrays(const Problem &p)
      : q(p.text.storage, 1, 1, p.nq, p.text.qkDim),
        k(p.text.storage, 1, 1, p.nk, p.text.qkDim),
        v(p.text.storage, 1, 1, p.nk, p.text.vDim),
        o(p.text.storage, 1, 1, p.nq, p.text.vDim), lse(p.nq, NAN) {
    q.fillRandom(1);
    k.fillRandom(2);
    v.fillRandom(3);
  }
  void setRow(Array &array, int64_t row, float value) {
    for (int64_t d = 0; d < array.dim; ++d)
      array.set(array.index(0, 0, row, d), value);
  }
  bool rowIsNaN(int64_t row) const {
    return std::isnan(o.get(o.index(0, 0, row, 0))) && std::isnan(lse[row]);
  }
  Outcome run(const Compiled &compiled, const Problem &p) {
    compiled.run(p, q, k, v, o, lse, counts);
    return compare(p, q, k, v, o, lse);
  }
};

TEST(HostKernel, NaNOfADroppedKeyDoesNotSpread) {
  Problem p = causal(Storage::F32, 40, 100, 16, 16);
  p.kept = [](int64_t q, int64_t k) { return k <= q && k != 70; };
  p.text.keep += R"(
    %hole = arith.constant 70 : i32
    %not = arith.cmpi ne, %ki, %hole : i32
    %keep2 = arith.andi %keep, %not : i1)";
  p.text.keepName = "keep2";
  // Nothing is known about the tile with the hole: every key may be dropped.
  p.text.walk = R"(
    %any = arith.constant true
    %all = arith.constant false
    %until = arith.addi %end, %t : i32)";
  auto compiled = Compiled::createOrDie(p.text);
  Arrays arrays(p);
  arrays.setRow(arrays.k, 70, NAN);
  arrays.setRow(arrays.v, 70, NAN);
  Outcome outcome = arrays.run(*compiled, p);
  EXPECT_FALSE(outcome.nonFinite);
  EXPECT_LT(outcome.maxError, 3e-6);
}

TEST(HostKernel, NaNAndInfinityStayInTheirRow) {
  Problem p = causal(Storage::F32, 40, 40, 16, 16);
  auto compiled = Compiled::createOrDie(p.text);
  Arrays arrays(p);
  arrays.setRow(arrays.q, 7, NAN);
  arrays.setRow(arrays.q, 21, INFINITY);
  arrays.run(*compiled, p);
  for (int64_t row = 0; row < p.nq; ++row)
    EXPECT_EQ(arrays.rowIsNaN(row), row == 7 || row == 21) << "row " << row;
}

/// A copy of an array that ends where a page begins that nobody may touch.
class Guarded {
public:
  explicit Guarded(Array &array) : array(array) {
    size_t page = sysconf(_SC_PAGESIZE);
    size = (array.bytes() + page - 1) / page * page + page;
    base = static_cast<char *>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base + size - page, page, PROT_NONE);
    char *copy = base + size - page - array.bytes();
    std::memcpy(copy, array.data(), array.bytes());
    array.elsewhere = copy;
  }
  ~Guarded() {
    void *copy = std::exchange(array.elsewhere, nullptr);
    std::memcpy(array.data(), copy, array.bytes());
    munmap(base, size);
  }

private:
  Array &array;
  char *base;
  size_t size;
};

TEST(HostKernel, NothingPastTheEndIsTouched) {
  for (Storage storage : {Storage::F32, Storage::F16}) {
    Problem p = causal(storage, 70, 75, 20, 20);
    auto compiled = Compiled::createOrDie(p.text);
    Arrays arrays(p);
    {
      Guarded q(arrays.q), k(arrays.k), v(arrays.v), o(arrays.o);
      compiled->run(p, arrays.q, arrays.k, arrays.v, arrays.o, arrays.lse,
                    arrays.counts);
    }
    Outcome outcome =
        compare(p, arrays.q, arrays.k, arrays.v, arrays.o, arrays.lse);
    EXPECT_FALSE(outcome.nonFinite);
    EXPECT_LT(outcome.maxError, 5e-4);
  }
}

TEST(HostKernel, LogitsNearOverflow) {
  Problem p = causal(Storage::F32, 40, 200, 16, 16);
  auto compiled = Compiled::createOrDie(p.text);
  Arrays arrays(p);
  for (Array *array : {&arrays.q, &arrays.k})
    for (float &x : array->f32)
      x *= 1e17f; // products near 1e36
  Outcome outcome = arrays.run(*compiled, p);
  EXPECT_FALSE(outcome.nonFinite); // the LSE's error is in proportion to it
}

} // namespace
