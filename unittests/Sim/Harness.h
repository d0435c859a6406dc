// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a few lines of PTX on lists of operands, one a thread.
#ifndef FOVEA_UNITTESTS_SIM_HARNESS_H
#define FOVEA_UNITTESTS_SIM_HARNESS_H

#include "fovea/Sim/Sim.h"
#include <string>
#include <vector>

namespace fovea::sim::test {

using Words = std::vector<uint64_t>;

/// The body finds its operands in %a, %b, %c (64 bits), %a32, ..., %a16, ...
/// and as predicate %q (a odd), and leaves its result in %d, %d32, %d16 or
/// %p, as `result` says ("64", "32", "16", "p"). Operand lists are equally
/// long; unused ones may be empty.
Words evaluate(const std::string &body, const std::string &result,
               const Words &a, const Words &b = {}, const Words &c = {},
               const std::string &target = "sm_80");

/// A module around a kernel `k(.u64 p0, .u64 p1)` whose parameters are loaded
/// into %p0 and %p1, with plenty of registers and %tid in %t.
std::string moduleOf(const std::string &body,
                     const std::string &declarations = "",
                     const std::string &target = "sm_80");

/// Launches moduleOf(body) on two zeroed buffers of `bytes`; `out` receives
/// the first.
LaunchResult launch(const std::string &module, Dim3 grid, Dim3 block,
                    size_t bytes, std::vector<uint32_t> *out = nullptr,
                    uint64_t seed = 0);

/// The same with counts, on buffers of 64 KB named first and second; it expects
/// no finding.
LaunchResult count(const std::string &module, Dim3 grid, Dim3 block);

/// Kinds of the findings, in order, separated by spaces.
std::string kinds(const LaunchResult &result);

} // namespace fovea::sim::test

#endif // FOVEA_UNITTESTS_SIM_HARNESS_H
