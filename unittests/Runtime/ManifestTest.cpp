// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Manifests: what is printed is read back, and a manifest that is wrong in one
// place says in which.

#include "fovea/Runtime/Manifest.h"
#include "fovea/Runtime/Files.h"

#include <gtest/gtest.h>

using namespace fovea::runtime;

namespace {

Manifest example() {
  Manifest m;
  m.compiler = "fovea 0.1.0";
  m.name = "near";
  m.pattern = "pattern near { \"quoted\" \n // µ }";
  m.target = "sm_80";
  m.files = {{"kernel.cubin", FileKind::Cubin}, {"kernel.ptx", FileKind::PTX}};
  m.type = FOVEA_BF16;
  m.headsQ = 8;
  m.headsKv = 2;
  m.dimQk = 64;
  m.dimV = 32;
  m.tileM = 128;
  m.tileN = 64;
  m.params = {
      {"w", false, 192, {}}, {"c", true, {}, 0.1f}, {"s", false, {}, {}}};
  m.requirements = {{RequirementKind::NonZero, "w - 8", 3, 21, "no divisor"}};
  m.parameters = standardParameters(m.params);
  m.entries = {{"near_aligned",
                16,
                {"ceil(nq / 128)", "heads_q", "batch"},
                {128, 1, 1},
                65536,
                0,
                ""},
               {"near",
                2,
                {"ceil(nq / 128)", "heads_q", "batch"},
                {128, 1, 1},
                65536,
                0,
                "near_tiles"}};
  return m;
}

/// The manifest's text with the first `from` replaced by `to`.
std::string edited(const std::string &from, const std::string &to) {
  std::string text = printManifest(example());
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string errorOf(const std::string &text) {
  Result<Manifest> manifest = parseManifest(text);
  if (manifest)
    return "no error";
  EXPECT_EQ(manifest.error().status, FOVEA_WRONG_INPUT);
  return manifest.error().message;
}

TEST(Manifest, RoundTrips) {
  Manifest m = example();
  Result<Manifest> back = parseManifest(printManifest(m));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, m);
  EXPECT_EQ(printManifest(*back), printManifest(m));
}

TEST(Manifest, ListsTheStandardParameters) {
  std::vector<ManifestParameter> list = standardParameters(example().params);
  std::string names;
  for (const ManifestParameter &parameter : list)
    names += parameter.name + " ";
  EXPECT_EQ(names, "q k v o lse q_stride_b q_stride_h q_stride_n k_stride_b "
                   "k_stride_h k_stride_n v_stride_b v_stride_h v_stride_n "
                   "o_stride_b o_stride_h o_stride_n nq nk w c s ");
  EXPECT_EQ(list[20].type, ParameterType::F32);
}

TEST(Manifest, IgnoresUnknownKeys) {
  EXPECT_EQ(errorOf(edited("\"version\"", "\"later\": [1], \"version\"")),
            "no error");
}

TEST(Manifest, RefusesWrongValues) {
  struct Case {
    const char *from, *to, *message;
  };
  for (Case c : {
           Case{"fovea-bundle", "zip",
                "expected 'format' to be \"fovea-bundle\", found \"zip\""},
           Case{"\"version\": 1", "\"version\": 2",
                "expected 'version' to be 1, found 2"},
           Case{"\"heads\"", "\"head\"", "the key 'heads' is missing"},
           Case{"\"kv\": 2", "\"kv\": \"2\"",
                "expected 'heads.kv' to be an integer of at least 1, found "
                "\"2\""},
           Case{"\"kv\": 2", "\"kv\": 3",
                "expected 'heads.kv' to divide 'heads.q', found 3 and 8"},
           Case{"\"type\": \"bf16\"", "\"type\": \"f64\"",
                "expected 'type' to be one of 'f32', 'f16', 'bf16', found "
                "\"f64\""},
           Case{"\"instruction_set\": []", "\"instruction_set\": {}",
                "expected 'instruction_set' to be an array, found {}"},
           Case{"kernel.ptx", "../kernel.ptx",
                "expected a plain file name in 'files', found "
                "'../kernel.ptx'"},
           Case{"\"kind\": \"ptx\"", "\"kind\": \"sass\"",
                "expected 'files[1].kind' to be one of 'cubin', 'ptx', "
                "'shared_object', 'object', found \"sass\""},
           Case{"\"default\": 192", "\"default\": 1.5",
                "expected 'params[0].default' to be a 64-bit integer, found "
                "1.5"},
           Case{"\"default\": 192", "\"default\": 9223372036854775808",
                "expected 'params[0].default' to be a 64-bit integer, found "
                "9223372036854775808"},
           Case{"\"name\": \"c\"", "\"name\": \"w\"",
                "the param 'w' is listed twice"},
           Case{"\"value\": \"nk\"", "\"value\": \"n\"",
                "the parameter 'nk' has the unknown value 'n'"},
           Case{"\"type\": \"pointer\"", "\"type\": \"i64\"",
                "the parameter 'q' has a type that does not fit its value "
                "'q'"},
           Case{"\"alignment\": 16", "\"alignment\": 12",
                "the entry 'near_aligned' has an 'alignment' that is no power "
                "of two up to 4096: 12"},
           Case{"ceil(nq / 128)", "ceil(nq)",
                "the entry 'near_aligned': 'grid': in the expression "
                "'ceil(nq)': expected '/' at column 8, found ')'"},
           Case{"\"sm_80\"", "\"sm_8\"",
                "expected 'target' to be 'host' or 'sm_NN', found 'sm_8'"},
           Case{"\"shared_bytes\": 65536", "\"shared_bytes\": -1",
                "expected 'entries[0].shared_bytes' to be an integer of at "
                "least 0, found -1"},
       })
    EXPECT_EQ(errorOf(edited(c.from, c.to)),
              std::string("malformed manifest: ") + c.message);
}

TEST(Manifest, RefusesWhatIsNotAManifest) {
  EXPECT_EQ(errorOf("[]"),
            "malformed manifest: expected an object, found array");
  EXPECT_EQ(errorOf("{}"), "malformed manifest: the key 'format' is missing");
  EXPECT_EQ(errorOf("").substr(0, 40),
            "malformed manifest: parse error at line ");
  std::string text = printManifest(example());
  std::string cut = errorOf(text.substr(0, text.size() / 2));
  EXPECT_EQ(cut.substr(0, 40), "malformed manifest: parse error at line ");
  EXPECT_EQ(cut.find('\n'), std::string::npos);
  EXPECT_NE(errorOf(std::string(100000, '[')), "no error");
}

TEST(Manifest, ReadsTheExampleOfThePage) {
  Result<std::string> page = readFile(BUNDLE_PAGE);
  ASSERT_TRUE(page) << page.error().message;
  size_t begin = page->find("```json\n") + 8;
  std::string text = page->substr(begin, page->find("```", begin) - begin);
  std::string dots = "    …\n"; // the parameters that the page leaves out
  size_t at = text.find(dots);
  ASSERT_NE(at, std::string::npos);
  text.erase(at, dots.size());
  Result<Manifest> manifest = parseManifest(text);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->params[0].intDefault, 192);
  EXPECT_EQ(manifest->entries[1].alignment, 2);
}

TEST(Manifest, RefusesNoEntries) {
  Manifest m = example();
  m.entries.clear();
  EXPECT_EQ(errorOf(printManifest(m)),
            "malformed manifest: expected at least one entry in 'entries', "
            "found none");
}

} // namespace
