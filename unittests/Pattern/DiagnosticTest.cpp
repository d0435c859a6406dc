// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Diagnostics as text: the line, the underline, tabs and wide characters.

#include "fovea/Pattern/Diagnostic.h"

#include "PatternTest.h"

using namespace fovea::pattern;

static std::string rendered(std::string_view text) {
  return render(parsePattern(text, "t.attn").diagnostics, text);
}

TEST(Diagnostic, ShowsTheLineAndAnUnderline) {
  EXPECT_EQ(rendered(wrap("  mask causal & windo(3)")),
            "t.attn:2:17: error: expected a mask, found 'windo(...)'\n"
            "    mask causal & windo(3)\n"
            "                  ^~~~~\n"
            "t.attn:2:17: note: did you mean 'window'?\n"
            "    mask causal & windo(3)\n"
            "                  ^~~~~\n");
}

TEST(Diagnostic, TabsStayTabs) {
  EXPECT_EQ(rendered(wrap("\tmask\tsink(-1)")),
            "t.attn:2:12: error: expected a count of at least 0, found -1\n"
            "  \tmask\tsink(-1)\n"
            "  \t    \t     ^~\n");
}

TEST(Diagnostic, ColumnsAreCharactersNotBytes) {
  EXPECT_EQ(rendered("// \u00e9\u00e9\xff\n"),
            "t.attn:1:6: error: expected UTF-8, found the byte 0xFF\n"
            "  // \u00e9\u00e9?\n"
            "       ^\n");
}

TEST(Diagnostic, TheEndOfTheText) {
  EXPECT_EQ(rendered("pattern t {"),
            "t.attn:1:12: error: expected a statement or '}', found the end of "
            "the text\n"
            "  pattern t {\n"
            "             ^\n");
}

TEST(Diagnostic, SpansOfSeveralLinesStopAtTheFirst) {
  EXPECT_EQ(
      rendered(wrap("mask q +\n1 < k")),
      "t.attn:2:6: error: expected parentheses around a comparison, found "
      "none\n"
      "  mask q +\n"
      "       ^~~\n");
}

TEST(Diagnostic, LongLinesAreCut) {
  std::string text = rendered(wrap("mask " + std::string(100000, '(')));
  EXPECT_LT(text.size(), 500u);
  EXPECT_NE(text.find("^"), std::string::npos);
}

TEST(Diagnostic, WithoutFileOrPlace) {
  Diagnostic diagnostic;
  diagnostic.severity = Severity::Warning;
  diagnostic.message = "nothing";
  EXPECT_EQ(render(diagnostic, ""), "warning: nothing\n");
  diagnostic.file = "f";
  EXPECT_EQ(render(diagnostic, ""), "f: warning: nothing\n");
}
