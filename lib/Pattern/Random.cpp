// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The draw of `random`: n distinct blocks out of M by Floyd's method (Bentley
// and Floyd 1987, "A sample of brilliance"), fed by SplitMix64 as a hash, so
// that a kernel draws them from (seed, head, row) alone.

#include "fovea/Pattern/Evaluate.h"

#include <algorithm>
#include <numeric>

namespace fovea::pattern {

uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

static uint64_t mulhi(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
}

std::vector<int64_t> drawBlocks(int64_t n, int64_t blocks, int64_t seed,
                                int64_t who, int64_t row) {
  std::vector<int64_t> drawn;
  if (n >= blocks) {
    drawn.resize(std::max<int64_t>(blocks, 0));
    std::iota(drawn.begin(), drawn.end(), int64_t{0});
    return drawn;
  }
  uint64_t base = mix(mix(static_cast<uint64_t>(seed) + who) + row);
  for (int64_t t = 0; t < n; ++t) {
    int64_t top = blocks - n + t;
    auto x = static_cast<int64_t>(mulhi(mix(base + t), top + 1));
    auto place = std::lower_bound(drawn.begin(), drawn.end(), x);
    bool taken = place != drawn.end() && *place == x;
    // `top` is larger than anything drawn so far.
    if (taken)
      drawn.push_back(top);
    else
      drawn.insert(place, x);
  }
  return drawn;
}

const std::vector<int64_t> &DrawCache::blocks(const MaskExpr &atom, int64_t n,
                                              int64_t count, int64_t seed,
                                              int64_t who, int64_t row) {
  auto entry = std::find_if(entries.begin(), entries.end(),
                            [&](const Entry &e) { return e.atom == &atom; });
  if (entry == entries.end())
    entry = entries.insert(entries.end(), Entry{&atom, -1, -1, 0, 0, 0, {}});
  if (entry->n != n || entry->count != count || entry->seed != seed ||
      entry->who != who || entry->row != row)
    *entry = {
        &atom, n, count, seed, who, row, drawBlocks(n, count, seed, who, row)};
  return entry->drawn;
}

} // namespace fovea::pattern
