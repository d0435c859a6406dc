// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Diagnostics as text. The underline repeats the tabs of the line before it, so
// that it stays in place whatever a tab is worth, and counts characters.

#include "fovea/Pattern/Diagnostic.h"

#include "Lexer.h"

using namespace fovea::pattern;

/// The line that holds byte `offset`.
static std::string_view lineAt(std::string_view text, size_t offset) {
  size_t begin = offset ? text.rfind('\n', offset - 1) : std::string_view::npos;
  begin = begin == std::string_view::npos ? 0 : begin + 1;
  size_t end = text.find('\n', offset);
  end = end == std::string_view::npos ? text.size() : end;
  if (end > begin && text[end - 1] == '\r')
    --end;
  return text.substr(begin, end - begin);
}

static void appendSource(std::string &out, const Location &loc,
                         std::string_view text) {
  if (loc.offset > text.size())
    return;
  std::string_view line = lineAt(text, loc.offset);
  size_t before = loc.offset - (line.data() - text.data());
  // Of a line as long as a book only the neighbourhood is shown.
  constexpr size_t most = 160;
  if (line.size() > most) {
    size_t cut = before > most / 2 ? before - most / 2 : 0;
    while (cut < before && (line[cut] & 0xC0) == 0x80)
      ++cut;
    size_t length = std::min(most, line.size() - cut);
    while (cut + length < line.size() && (line[cut + length] & 0xC0) == 0x80)
      ++length;
    line = line.substr(cut, length);
    before -= cut;
  }
  std::string mark;
  auto step = [&](size_t &i, char pad) {
    mark += line[i] == '\t' && pad == ' ' ? '\t' : pad;
    unsigned length = utf8Length(line, i);
    i += length ? length : 1;
  };
  size_t i = 0;
  while (i < before && i < line.size())
    step(i, ' ');
  mark += '^';
  if (i < line.size()) {
    unsigned length = utf8Length(line, i);
    i += length ? length : 1;
  }
  while (i < before + loc.length && i < line.size())
    step(i, '~');

  out += "  ";
  // Only printable text: a stray byte would not be valid output.
  for (size_t at = 0; at < line.size();) {
    unsigned length = utf8Length(line, at);
    if (!length ||
        (static_cast<unsigned char>(line[at]) < 0x20 && line[at] != '\t'))
      out += '?';
    else
      out += line.substr(at, length);
    at += length ? length : 1;
  }
  out += "\n  " + mark + "\n";
}

static void appendOne(std::string &out, std::string_view file,
                      const Location &loc, std::string_view kind,
                      std::string_view message, std::string_view text) {
  if (!file.empty()) {
    out += file;
    out += ':';
  }
  if (loc.isValid())
    out += std::to_string(loc.line) + ":" + std::to_string(loc.column) + ":";
  if (!out.empty() && out.back() == ':')
    out += ' ';
  out += kind;
  out += ": ";
  out += message;
  out += '\n';
  if (loc.isValid())
    appendSource(out, loc, text);
}

std::string fovea::pattern::render(const Diagnostic &diagnostic,
                                   std::string_view text) {
  std::string out;
  appendOne(out, diagnostic.file, diagnostic.loc,
            diagnostic.severity == Severity::Error ? "error" : "warning",
            diagnostic.message, text);
  for (const Note &note : diagnostic.notes)
    appendOne(out, diagnostic.file, note.loc, "note", note.message, text);
  return out;
}

std::string fovea::pattern::render(const std::vector<Diagnostic> &diagnostics,
                                   std::string_view text) {
  std::string out;
  for (const Diagnostic &diagnostic : diagnostics)
    out += render(diagnostic, text);
  return out;
}
