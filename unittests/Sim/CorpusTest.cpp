// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels of other compilers with known answers and planted defects: a few in
// the repository, all of a larger collection where FOVEA_PTX_CORPUS names its
// folder. Mutations: a synchronisation is taken out of a right kernel.
#include "Case.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace fovea::sim;
namespace fs = std::filesystem;

namespace {

const char *const ours = "test/Sim/Inputs";

std::vector<std::string> cases() {
  std::vector<std::string> result;
  for (const char *root :
       {ours, static_cast<const char *>(std::getenv("FOVEA_PTX_CORPUS"))})
    if (root && fs::is_directory(root))
      for (const fs::directory_entry &entry : fs::directory_iterator(root))
        if (fs::exists(entry.path() / "launch.json"))
          result.push_back(entry.path().string());
  std::sort(result.begin(), result.end());
  return result;
}

std::string read(const fs::path &path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string found(const CaseResult &result) {
  std::string text;
  for (const Finding &f : result.launch.findings)
    text +=
        f.kind + " at line " + std::to_string(f.line) + ": " + f.message + "\n";
  return text;
}

/// The defect is reported under its name or one that is fair for it.
bool isReported(const CaseResult &result, const nlohmann::json &expect) {
  for (const Finding &finding : result.launch.findings) {
    if (finding.kind == expect["defect"].get<std::string>())
      return true;
    for (const auto &also : expect.value("also", nlohmann::json::array()))
      if (finding.kind == also.get<std::string>())
        return true;
  }
  return false;
}

class SimCorpus : public testing::TestWithParam<std::string> {};

TEST_P(SimCorpus, RunsAsExpected) {
  fs::path folder = GetParam();
  auto launch = nlohmann::json::parse(read(folder / "launch.json"));
  std::string ptx = read(folder / "kernel.ptx");
  for (uint64_t seed : {0, 1, 2}) {
    CaseOptions options;
    options.seed = seed;
    options.exactTensorSums = seed == 1;
    options.perturbApprox = seed == 2;
    CaseResult result = runCase(ptx, launch, folder.string(), options);
    if (launch["expect"] == "ok") {
      EXPECT_EQ(found(result), "");
      EXPECT_TRUE(result.outputsOk());
    } else {
      EXPECT_TRUE(isReported(result, launch["expect"])) << found(result);
    }
  }
}

/// Without checks, in parallel: the outputs stay right.
TEST_P(SimCorpus, RunsUnchecked) {
  fs::path folder = GetParam();
  auto launch = nlohmann::json::parse(read(folder / "launch.json"));
  if (launch["expect"] != "ok")
    GTEST_SKIP() << "a defect case";
  CaseOptions options;
  options.checks = Checks::none();
  CaseResult result =
      runCase(read(folder / "kernel.ptx"), launch, folder.string(), options);
  EXPECT_TRUE(result.outputsOk());
}

std::string nameOf(const testing::TestParamInfo<std::string> &info) {
  fs::path path = info.param;
  bool own = path.string().rfind(ours, 0) == 0;
  return (own ? "own_" : "corpus_") + path.filename().string();
}

INSTANTIATE_TEST_SUITE_P(Cases, SimCorpus, testing::ValuesIn(cases()), nameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SimCorpus);

TEST(SimCorpusTest, CasesAreThere) { EXPECT_FALSE(cases().empty()); }

/// Takes out, one at a time, the lines that hold `what`; returns how many
/// there are and how many removals go unnoticed.
std::pair<int, int> removeEach(const std::string &name,
                               const std::string &what) {
  fs::path folder = fs::path(ours) / name;
  auto launch = nlohmann::json::parse(read(folder / "launch.json"));
  std::string ptx = read(folder / "kernel.ptx");
  int planted = 0, survived = 0;
  for (size_t at = ptx.find(what); at != std::string::npos;
       at = ptx.find(what, at + 1)) {
    std::string mutant = ptx;
    mutant.replace(at, ptx.find(';', at) + 1 - at, ";");
    ++planted;
    CaseResult result = runCase(mutant, launch, folder.string(), {});
    survived += result.launch.findings.empty();
  }
  return {planted, survived};
}

TEST(SimMutation, EveryRemovedSynchronisationIsCaught) {
  // The last barrier stands before a thread that reads what it wrote itself.
  EXPECT_EQ(removeEach("block_reduce", "bar.sync"), std::pair(9, 1));
  EXPECT_EQ(removeEach("named_barriers", "bar.arrive"), std::pair(8, 0));
  // A barrier of the CTA follows, and the fence is for other CTAs.
  EXPECT_EQ(removeEach("bulk_ring", "fence.mbarrier_init"), std::pair(1, 1));
  EXPECT_EQ(removeEach("bulk_ring", "mbarrier.arrive.shared"), std::pair(5, 0));
  EXPECT_EQ(removeEach("cluster_dsm", "barrier.cluster.wait"), std::pair(2, 0));
}

} // namespace
