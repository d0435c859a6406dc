// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables of words, and the nearest one to a misspelt word.

#include "Words.h"

#include <algorithm>
#include <numeric>
#include <vector>

using namespace fovea::pattern;

namespace {

struct Entry {
  std::string_view word;
  WordClass wordClass;
};

constexpr Entry entries[] = {
    {"heads", WordClass::Statement},
    {"dim", WordClass::Statement},
    {"type", WordClass::Statement},
    {"align", WordClass::Statement},
    {"param", WordClass::Statement},
    {"input", WordClass::Statement},
    {"scale", WordClass::Statement},
    {"mask", WordClass::Statement},
    {"score", WordClass::Statement},
    {"sink_logit", WordClass::Statement},
    {"rope", WordClass::Statement},
    {"dropout", WordClass::Statement},
    {"all", WordClass::Atom},
    {"none", WordClass::Atom},
    {"causal", WordClass::Atom},
    {"window", WordClass::Atom},
    {"dilated", WordClass::Atom},
    {"global", WordClass::Atom},
    {"sink", WordClass::Atom},
    {"prefix", WordClass::Atom},
    {"random", WordClass::Atom},
    {"same", WordClass::Atom},
    {"padded", WordClass::Atom},
    {"blocks", WordClass::Atom},
    {"neighbourhood", WordClass::Atom},
    {"neighborhood", WordClass::Atom},
    {"swin", WordClass::Atom},
    {"tree", WordClass::Atom},
    {"per_head", WordClass::Atom},
    {"min", WordClass::Function},
    {"max", WordClass::Function},
    {"abs", WordClass::Function},
    {"exp", WordClass::Function},
    {"exp2", WordClass::Function},
    {"log", WordClass::Function},
    {"log2", WordClass::Function},
    {"sqrt", WordClass::Function},
    {"tanh", WordClass::Function},
    {"select", WordClass::Function},
    {"softcap", WordClass::Function},
    {"alibi", WordClass::Function},
    {"relative", WordClass::Function},
    {"f16", WordClass::Type},
    {"bf16", WordClass::Type},
    {"f32", WordClass::Type},
    {"i1", WordClass::Type},
    {"i32", WordClass::Type},
    {"int", WordClass::Type},
    {"float", WordClass::Type},
    {"q", WordClass::Variable},
    {"k", WordClass::Variable},
    {"b", WordClass::Variable},
    {"h", WordClass::Variable},
    {"g", WordClass::Variable},
    {"nq", WordClass::Variable},
    {"nk", WordClass::Variable},
    {"s", WordClass::Other},
    {"inf", WordClass::Other},
    {"else", WordClass::Other},
    {"pattern", WordClass::Other},
};

/// The statements' words, in the order of StatementKind.
constexpr const char *statements[] = {
    "heads", "dim",  "type",  "align",      "param", "input",
    "scale", "mask", "score", "sink_logit", "rope",  "dropout"};

constexpr const char *operators[] = {"+", "-",  "*",  "/", "%",  "&", "^",
                                     "|", "==", "!=", "<", "<=", ">", ">="};

/// Levenshtein's distance, one row at a time.
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

} // namespace

WordClass fovea::pattern::classify(std::string_view word) {
  for (const Entry &entry : entries)
    if (entry.word == word)
      return entry.wordClass;
  return WordClass::None;
}

std::optional<StatementKind>
fovea::pattern::statementKind(std::string_view word) {
  const auto *found =
      std::find(std::begin(statements), std::end(statements), word);
  if (found == std::end(statements))
    return std::nullopt;
  return static_cast<StatementKind>(found - std::begin(statements));
}

const char *fovea::pattern::spell(StatementKind kind) {
  return statements[static_cast<size_t>(kind)];
}

const char *fovea::pattern::spell(SyntaxOp op) {
  return operators[static_cast<size_t>(op)];
}

std::optional<std::string> fovea::pattern::nearestWord(std::string_view word,
                                                       WordClass wanted) {
  // Short words are all alike: `a` is not a misspelt `abs`.
  if (word.size() < 3 || word.size() > 20)
    return std::nullopt;
  size_t best = 3;
  std::optional<std::string> nearest;
  for (const Entry &entry : entries) {
    if (entry.wordClass != wanted)
      continue;
    size_t distance = editDistance(word, entry.word);
    if (distance < best) {
      best = distance;
      nearest = std::string(entry.word);
    }
  }
  return nearest;
}
