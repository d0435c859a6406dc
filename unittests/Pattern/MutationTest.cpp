// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Correct texts with bytes changed, words swapped and pieces cut: whatever
// comes out, there is a pattern that prints and reads back, or an error with a
// place inside the text.

#include "PatternTest.h"
#include "fovea/Pattern/Evaluate.h"
#include "fovea/Pattern/Printer.h"

using namespace fovea::pattern;

namespace {

class Mutator {
public:
  explicit Mutator(uint64_t seed) : state(seed) {}

  std::string mutate(std::string text) {
    for (size_t edits = 1 + below(2); edits && !text.empty(); --edits) {
      size_t at = below(text.size());
      switch (below(4)) {
      case 0:
        text[at] = replacement(text[at]);
        break;
      case 1:
        text.erase(at, 1 + below(12));
        break;
      case 2:
        text.insert(at, words[below(std::size(words))]);
        break;
      default:
        text.insert(at, text.substr(below(text.size()), below(30)));
      }
    }
    return text;
  }

private:
  /// Another of its kind, so that many texts stay correct.
  char replacement(char c) {
    for (std::string_view kind : {"0123456789", "&^|", "+-*/%", "<>", "qkbhg"})
      if (kind.find(c) != kind.npos)
        return kind[below(kind.size())];
    return static_cast<char>(below(8) ? 32 + below(95) : below(256));
  }

  uint64_t next() { return state = mix(state); }
  size_t below(size_t n) { return next() % n; }

  static constexpr const char *words[] = {"(",
                                          ")",
                                          "[",
                                          "]",
                                          ",",
                                          "~",
                                          "-",
                                          " & ",
                                          " | ",
                                          "==",
                                          "<",
                                          "%",
                                          "/ 0",
                                          " q ",
                                          " h ",
                                          " inf ",
                                          " w ",
                                          " c ",
                                          "1.5",
                                          "9223372036854775808",
                                          "else:",
                                          "causal",
                                          "random(2, block = 3, seed = 1)",
                                          "select(",
                                          "input x : i32[k] ",
                                          "per_head(",
                                          "alibi",
                                          "=",
                                          ":",
                                          "}",
                                          "//",
                                          "\xc3\xa9",
                                          "\n"};
  uint64_t state;
};

} // namespace

static const char *seeds[] = {
    "pattern one { heads q = 4, kv = 2 dim 8 type f32 param w : int = 3 "
    "param c : float mask causal & window(w, 0) | ~global(4) ^ (q / 3 == k % "
    "w) "
    "| random(3, block = 64, seed = 7, per = g, causal) scale c / sqrt(2) "
    "score select(s > 0.5, softcap(s, 30.0), -s) + alibi * (q - k) / nk }",
    "pattern two { heads 1 dim qk = 2, v = 3 type bf16 align start // note\n"
    "mask dilated(inf, 3, 2) & prefix(nk / 2) & sink(min(nq, abs(-4))) }",
    "pattern three { input d : i32[b, k] heads 2 dim 4 type f16 sink_logit z "
    "mask per_head(h < 1: same(d, sorted), else: swin([4, 4], [2, 2])) "
    "rope(base = 10.0) dropout(0.5, seed = n) score relative(t, buckets = 4, "
    "max = 9) + d[b, k] }"};

TEST(Mutation, EitherAPatternOrAnErrorInTheText) {
  EXPECT_EQ(firstError(seeds[0]), "no error");
  EXPECT_EQ(firstError(seeds[1]), "no error");
  int patterns = 0, rejected = 0;
  Mutator mutator(1);
  for (int round = 0; round < 20000; ++round) {
    std::string text = mutator.mutate(seeds[round % 3]);
    ParseResult result = parsePattern(text, "m");
    if (result) {
      ++patterns;
      std::string printed = print(*result.pattern);
      ParseResult again = parsePattern(printed, "again");
      ASSERT_TRUE(again) << text << "\n" << firstError(printed);
      EXPECT_TRUE(*again.pattern == *result.pattern) << text;
      continue;
    }
    ++rejected;
    ASSERT_FALSE(result.diagnostics.empty()) << text;
    for (const Diagnostic &d : result.diagnostics) {
      EXPECT_EQ(d.severity, Severity::Error);
      EXPECT_GE(d.loc.line, 1u) << text;
      EXPECT_GE(d.loc.column, 1u) << text;
      EXPECT_LE(size_t(d.loc.offset) + d.loc.length, text.size() + 1) << text;
      EXPECT_FALSE(d.message.empty());
    }
    EXPECT_FALSE(render(result.diagnostics, text).empty());
  }
  EXPECT_GT(patterns, 500);
  EXPECT_GT(rejected, 1000);
}
