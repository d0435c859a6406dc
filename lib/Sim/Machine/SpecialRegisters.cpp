// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The values of special registers, which do not change while a warp runs.
#include "SpecialRegisters.h"
#include <optional>

namespace fovea::sim {

namespace {

/// Those of a lane and its warp.
std::optional<uint32_t> ofLane(Special which, const Warp &warp, unsigned lane) {
  const Dim3 &block = warp.launch->config.block;
  uint32_t tid = warp.tid(lane), bit = 1u << lane;
  switch (which) {
  case Special::TidX:
    return tid % block.x;
  case Special::TidY:
    return tid / block.x % block.y;
  case Special::TidZ:
    return tid / block.x / block.y;
  case Special::LaneId:
    return lane;
  case Special::WarpId:
    return warp.id;
  case Special::LaneMaskEq:
    return bit;
  case Special::LaneMaskLe:
    return bit | (bit - 1);
  case Special::LaneMaskLt:
    return bit - 1;
  case Special::LaneMaskGe:
    return ~(bit - 1);
  case Special::LaneMaskGt:
    return ~(bit | (bit - 1));
  default:
    return std::nullopt;
  }
}

std::optional<uint32_t> ofCluster(Special which, const Cta &cta) {
  const Dim3 &grid = cta.launch->config.grid, &cluster = cta.launch->cluster;
  switch (which) {
  case Special::ClusterIdX:
    return cta.x / cluster.x;
  case Special::ClusterIdY:
    return cta.y / cluster.y;
  case Special::ClusterIdZ:
    return cta.z / cluster.z;
  case Special::NclusterIdX:
    return grid.x / cluster.x;
  case Special::NclusterIdY:
    return grid.y / cluster.y;
  case Special::NclusterIdZ:
    return grid.z / cluster.z;
  case Special::ClusterCtaIdX:
    return cta.x % cluster.x;
  case Special::ClusterCtaIdY:
    return cta.y % cluster.y;
  case Special::ClusterCtaIdZ:
    return cta.z % cluster.z;
  case Special::ClusterNctaIdX:
    return cluster.x;
  case Special::ClusterNctaIdY:
    return cluster.y;
  case Special::ClusterNctaIdZ:
    return cluster.z;
  case Special::ClusterCtaRank:
    return cta.rank;
  case Special::ClusterNctaRank:
    return static_cast<uint32_t>(cluster.count());
  case Special::IsExplicitCluster:
    return cluster.count() > 1;
  default:
    return std::nullopt;
  }
}

/// Those of a block, the grid and the device.
uint32_t ofBlock(Special which, const Cta &cta) {
  const Launch &launch = *cta.launch;
  const Dim3 &grid = launch.config.grid, &block = launch.config.block;
  switch (which) {
  case Special::NtidX:
    return block.x;
  case Special::NtidY:
    return block.y;
  case Special::NtidZ:
    return block.z;
  case Special::CtaidX:
    return cta.x;
  case Special::CtaidY:
    return cta.y;
  case Special::CtaidZ:
    return cta.z;
  case Special::NctaidX:
    return grid.x;
  case Special::NctaidY:
    return grid.y;
  case Special::NctaidZ:
    return grid.z;
  case Special::NwarpId:
    return static_cast<uint32_t>(cta.warps.size());
  case Special::SmId:
    return cta.linear % 108;
  case Special::NsmId:
    return 108;
  case Special::GridId:
    return 1;
  case Special::DynamicSmemSize:
    return launch.config.dynamicSharedBytes;
  case Special::TotalSmemSize:
  case Special::AggrSmemSize:
    return static_cast<uint32_t>(launch.program->declaredShared +
                                 launch.config.dynamicSharedBytes);
  case Special::GridWorkspaceHi:
    return static_cast<uint32_t>(launch.gridWorkspace >> 32);
  case Special::GridWorkspaceLo:
    return static_cast<uint32_t>(launch.gridWorkspace);
  case Special::One:
    return 1;
  case Special::ReservedSmemOffset:
  case Special::Zero:
    return 0;
  default: // answered above
    return 0;
  }
}

} // namespace

uint32_t specialValue(Special which, const Warp &warp, unsigned lane) {
  if (std::optional<uint32_t> value = ofLane(which, warp, lane))
    return *value;
  if (std::optional<uint32_t> value = ofCluster(which, *warp.cta))
    return *value;
  return ofBlock(which, *warp.cta);
}

} // namespace fovea::sim
