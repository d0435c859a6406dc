// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files and bundles are there whole or not at all, and nothing else is lost.

#include "fovea/Runtime/Files.h"

#include "TestFolder.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

using namespace fovea::runtime;
namespace fs = std::filesystem;

namespace {

Manifest hostManifest() {
  Manifest m;
  m.name = "all";
  m.target = "host";
  m.files = {{"kernel.so", FileKind::SharedObject}};
  m.parameters = standardParameters({});
  m.entries = {{"all", 4, {"nq", "heads_q", "batch"}, {1, 1, 1}, 0, 0, ""}};
  return m;
}

size_t countEntries(const std::string &folder) {
  return std::distance(fs::directory_iterator(folder),
                       fs::directory_iterator());
}

TEST(Files, WritesAndReplaces) {
  TestFolder folder;
  ASSERT_TRUE(writeFileAtomically(folder / "a", {"one", "", "two"}));
  EXPECT_EQ(*readFile(folder / "a"), "onetwo");
  ASSERT_TRUE(writeFileAtomically(folder / "a", {std::string(100000, 'x')}));
  EXPECT_EQ(readFile(folder / "a")->size(), 100000u);
  EXPECT_EQ(countEntries(folder.path), 1u);
}

TEST(Files, WritesThroughLinksAndIntoDevices) {
  TestFolder folder;
  ASSERT_TRUE(writeFileAtomically(folder / "real", {"old"}));
  fs::create_symlink(folder / "real", folder / "link");
  ASSERT_TRUE(writeFileAtomically(folder / "link", {"new"}));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(*readFile(folder / "real"), "new");
  ASSERT_TRUE(writeFileAtomically("/dev/null", {"gone"}));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(Files, SaysWhyItCannotWrite) {
  TestFolder folder;
  Status missing = writeFileAtomically(folder / "no/a", {"x"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "cannot write '" + (folder / "no/a") +
                                         "': No such file or directory");
  Status isFolder = writeFileAtomically(folder.path, {"x"});
  ASSERT_FALSE(isFolder);
  EXPECT_EQ(isFolder.error().message,
            "cannot write '" + folder.path + "': Is a directory");
  EXPECT_EQ(readFile(folder.path).error().message,
            "cannot read '" + folder.path + "': Is a directory");
}

TEST(Files, WritesAndReplacesBundles) {
  TestFolder folder;
  std::string path = folder / "b.fovea";
  ASSERT_TRUE(writeBundle(path, hostManifest(), {{"kernel.so", "old"}}));
  ASSERT_TRUE(writeBundle(path + "/", hostManifest(), {{"kernel.so", "new"}}));
  EXPECT_EQ(*readFile(path + "/kernel.so"), "new");
  EXPECT_EQ(*readFile(path + "/manifest.json"), printManifest(hostManifest()));
  EXPECT_EQ(countEntries(folder.path), 1u);
  EXPECT_EQ(countEntries(path), 2u);
}

TEST(Files, RefusesToReplaceWhatIsNoBundle) {
  TestFolder folder;
  auto messageOf = [&](const std::string &path) {
    Status written = writeBundle(path, hostManifest(), {{"kernel.so", "x"}});
    return written ? "no error" : written.error().message;
  };
  ASSERT_TRUE(writeFileAtomically(folder / "file", {"x"}));
  EXPECT_EQ(messageOf(folder / "file"), "refusing to replace '" +
                                            (folder / "file") +
                                            "', which is not a bundle");
  fs::create_directory(folder / "mine");
  ASSERT_TRUE(writeFileAtomically(folder / "mine/thesis.tex", {"x"}));
  EXPECT_EQ(messageOf(folder / "mine"),
            "refusing to replace '" + (folder / "mine") +
                "', which holds 'thesis.tex', no part of a bundle");
  EXPECT_EQ(*readFile(folder / "mine/thesis.tex"), "x");
  fs::create_directory(folder / "empty");
  EXPECT_EQ(messageOf(folder / "empty"), "no error");
}

TEST(Files, LeavesNothingBehindWhenABundleFails) {
  TestFolder folder;
  Status written = writeBundle(folder / "b", hostManifest(),
                               {{"kernel.so", "x"}, {"no/such", "x"}});
  EXPECT_FALSE(written);
  EXPECT_EQ(countEntries(folder.path), 0u);
}

} // namespace
