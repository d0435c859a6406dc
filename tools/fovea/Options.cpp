// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options, as LLVM's command-line library wants them: globals, tied to the
// subcommands in which they mean something.

#include "Options.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace fovea;
using namespace fovea::tool;
using fovea::runtime::wrongInput;

// LLVM's options are globals by design: their constructors register them.
// NOLINTBEGIN(bugprone-throwing-static-initialization)
static cl::SubCommand compileCommand("compile",
                                     "Compile a pattern, or stop on the way");
static cl::SubCommand runCommand("run",
                                 "Compile a pattern and run it on arrays");
static cl::SubCommand benchCommand("bench",
                                   "Measure a pattern on random arrays");

static cl::OptionCategory category("Options");

//===----------------------------------------------------------------------===//
// Every command
//===----------------------------------------------------------------------===//

#define IN_COMPILE cl::cat(category), cl::sub(compileCommand)
#define IN_RUN cl::cat(category), cl::sub(runCommand)
#define IN_BENCH cl::cat(category), cl::sub(benchCommand)
#define IN_RUNS IN_RUN, cl::sub(benchCommand)
#define IN_ALL IN_RUNS, cl::sub(compileCommand)

static cl::opt<std::string> input(cl::Positional, cl::desc("FILE.attn"),
                                  IN_ALL);
static cl::opt<std::string> text("e", cl::value_desc("TEXT"),
                                 cl::desc("The pattern itself, not a file"),
                                 IN_ALL);
static cl::opt<std::string>
    instructionSet("isa", cl::value_desc("LEVEL"),
                   cl::desc("Host: x86-64-v3 or x86-64-v4; the default is the "
                            "best of this machine"),
                   IN_ALL);
static cl::opt<int64_t> rows("rows", cl::value_desc("N"),
                             cl::desc("Queries of a tile; the default fits the "
                                      "target"),
                             IN_ALL);
static cl::opt<int64_t> keys("keys", cl::value_desc("N"),
                             cl::desc("Keys of a tile"), IN_ALL);
static cl::opt<int64_t> stages("stages", cl::value_desc("N"),
                               cl::desc("Tiles of K and V in flight (GPU)"),
                               IN_ALL);
static cl::opt<int64_t> warps("warps", cl::value_desc("N"),
                              cl::desc("Warps that share a tile's rows (GPU)"),
                              IN_ALL);

//===----------------------------------------------------------------------===//
// compile
//===----------------------------------------------------------------------===//

static cl::opt<std::string> target("target", cl::value_desc("host|sm_80"),
                                   cl::desc("What to compile for (host)"),
                                   cl::init("host"), IN_COMPILE);
static cl::opt<std::string>
    emitStage("emit", cl::value_desc("attn|tile|llvm|ptx|cubin|obj|bundle"),
              cl::desc("Where to stop and what to write (bundle)"),
              cl::init("bundle"), IN_COMPILE);
static cl::opt<std::string>
    output("o", cl::value_desc("OUT"),
           cl::desc("Where to write; '-' is standard output, the default for "
                    "text; otherwise NAME.fovea, NAME.cubin or NAME.o"),
           IN_COMPILE);

//===----------------------------------------------------------------------===//
// run and bench
//===----------------------------------------------------------------------===//

static cl::opt<std::string> qPath("q", cl::value_desc("Q.npy"),
                                  cl::desc("Queries [B, H, Nq, D]"), IN_RUN);
static cl::opt<std::string> kPath("k", cl::value_desc("K.npy"),
                                  cl::desc("Keys [B, G, Nk, D]"), IN_RUN);
static cl::opt<std::string> vPath("v", cl::value_desc("V.npy"),
                                  cl::desc("Values [B, G, Nk, E]"), IN_RUN);
static cl::opt<std::string> oPath("o", cl::value_desc("O.npy"),
                                  cl::desc("Where to write O [B, H, Nq, E]"),
                                  IN_RUN);
static cl::opt<std::string>
    lsePath("lse", cl::value_desc("LSE.npy"),
            cl::desc("Where to write LSE [B, H, Nq], f32"), IN_RUN);
static cl::opt<bool>
    convert("convert",
            cl::desc("Round f32 arrays to the pattern's type, and O back"),
            IN_RUN);
static cl::opt<std::string>
    shape("shape", cl::value_desc("b,h,n[,nk]"),
          cl::desc("Batch, query heads, queries and keys (as many)"), IN_BENCH);
static cl::list<std::string>
    params("param", cl::value_desc("NAME=VALUE"),
           cl::desc("The value of a param; may be repeated"), IN_RUNS);
static cl::opt<std::string>
    device("device", cl::value_desc("host|cuda|sim"),
           cl::desc("Where to run (host; a bundle's own)"), IN_RUNS);
static cl::opt<std::string>
    check("check", cl::value_desc("all|none|races,bounds,align,uninit,sync"),
          cl::desc("What the device sim looks for (all)"), IN_RUNS);
static cl::opt<std::string>
    simReport("report", cl::value_desc("OUT.json"),
              cl::desc("Where the device sim writes what it found"), IN_RUNS);
static cl::opt<int> threads("threads", cl::value_desc("N"),
                            cl::desc("At most N threads (all cores)"), IN_RUNS);
static cl::opt<int> repeat("repeat", cl::value_desc("N"),
                           cl::desc("Run N times (run: 1, bench: 7)"), IN_RUNS);
static cl::opt<bool>
    verify("verify", cl::desc("Print the error against the float64 reference"),
           IN_RUNS);
static cl::opt<std::string> format("format", cl::value_desc("text|json"),
                                   cl::desc("How to report (text)"),
                                   cl::init("text"), IN_RUNS);

// NOLINTEND(bugprone-throwing-static-initialization)

//===----------------------------------------------------------------------===//
// Help
//===----------------------------------------------------------------------===//

static constexpr const char *generalHelp =
    R"(fovea: compiles attention patterns to fused kernels

Examples:
  fovea run causal.attn --q q.npy --k k.npy --v v.npy --verify
  fovea compile causal.attn --target sm_80 --emit ptx
  fovea bench causal.attn --shape 1,8,4096
  fovea COMMAND --help

Exit status: 0 done, 1 wrong input, 2 the machine lacks something, 3 our fault.
)";
static constexpr const char *compileHelp =
    R"(fovea compile: a pattern to a bundle, or to any stage before it

Examples:
  fovea compile causal.attn -o causal.fovea
  fovea compile causal.attn --target sm_80 --emit ptx -o causal.ptx
  fovea compile -e 'pattern p { heads 8 dim 64 type f32 mask causal }' --emit tile
)";
static constexpr const char *runHelp =
    R"(fovea run: compiles a pattern (or takes a bundle) and runs it on .npy arrays

Examples:
  fovea run causal.attn --q q.npy --k k.npy --v v.npy -o o.npy --lse lse.npy
  fovea run window.attn --param w=128 --q q.npy --k k.npy --v v.npy --verify
  fovea run causal-bf16.attn --convert --q q.npy --k k.npy --v v.npy --format json
  fovea run causal.fovea --q q.npy --k k.npy --v v.npy --threads 1 --repeat 5
  fovea run causal.attn --device sim --report found.json --q q.npy --k k.npy --v v.npy
)";
static constexpr const char *benchHelp =
    R"(fovea bench: measures a pattern on random arrays

Examples:
  fovea bench causal.attn --shape 1,8,4096
  fovea bench causal.attn --shape 4,8,1,32768 --threads 1 --format json
)";

static const char *helpFor(int argc, char **argv) {
  StringRef command = argc > 1 ? argv[1] : "";
  return command == "compile" ? compileHelp
         : command == "run"   ? runHelp
         : command == "bench" ? benchHelp
                              : generalHelp;
}

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

static runtime::Status readShape(Options &options) {
  SmallVector<StringRef, 4> parts;
  if (shape.empty())
    return wrongInput("expected --shape b,h,n");
  StringRef(shape).split(parts, ',');
  for (StringRef part : parts) {
    int64_t extent = 0;
    if (part.trim().getAsInteger(10, extent) || extent < 0 ||
        extent >= int64_t(1) << 30)
      return wrongInput("expected --shape b,h,n of numbers from 0 to 2^30 - 1, "
                        "found '" +
                        shape + "'");
    options.shape.push_back(extent);
  }
  if (options.shape.size() < 3 || options.shape.size() > 4)
    return wrongInput("expected --shape b,h,n or b,h,nq,nk, found '" + shape +
                      "'");
  return runtime::Status();
}

/// A tile option that was given must be positive.
static runtime::Status readTile(cl::opt<int64_t> &option,
                                std::optional<int64_t> &value) {
  if (option.getNumOccurrences() == 0)
    return runtime::Status();
  if (option < 1)
    return wrongInput("expected --" + option.ArgStr.str() +
                      " to be at least 1, found " + std::to_string(option));
  value = option;
  return runtime::Status();
}

static runtime::Status readCompile(Options &o) {
  o.input = input;
  if (text.getNumOccurrences())
    o.text = text;
  if (o.text && !o.input.empty())
    return wrongInput("expected a file or -e, found both ('" + o.input + "')");
  if (!o.text && o.input.empty())
    return wrongInput("expected a pattern: FILE.attn or -e 'pattern …'");
  o.compile.file = o.text ? "<command line>" : o.input;
  o.compile.instructionSet = instructionSet;
  if (runtime::Status s = readTile(rows, o.compile.rows); !s)
    return s;
  if (runtime::Status s = readTile(keys, o.compile.keys); !s)
    return s;
  if (runtime::Status s = readTile(stages, o.compile.stages); !s)
    return s;
  if (runtime::Status s = readTile(warps, o.compile.warps); !s)
    return s;
  if (o.command != Command::Compile)
    return runtime::Status();
  o.compile.target = target;
  o.output = output;
  std::optional<Stage> stage = parseStage(emitStage);
  if (!stage)
    return wrongInput("expected --emit attn, tile, llvm, ptx, cubin, obj or "
                      "bundle, found '" +
                      emitStage + "'");
  o.stage = *stage;
  return runtime::Status();
}

static runtime::Status readRun(Options &o) {
  o.q = qPath, o.k = kPath, o.v = vPath;
  o.output = oPath, o.lse = lsePath;
  o.convert = convert, o.verify = verify;
  o.params.assign(params.begin(), params.end());
  o.device = device;
  o.check = check, o.simReport = simReport;
  if (device != "sim" && (!check.empty() || !simReport.empty()))
    return wrongInput("expected --check and --report with --device sim only");
  if (threads.getNumOccurrences() && threads < 1)
    return wrongInput("expected --threads to be at least 1, found " +
                      std::to_string(threads));
  o.threads = threads;
  if (repeat.getNumOccurrences() && repeat < 1)
    return wrongInput("expected --repeat to be at least 1, found " +
                      std::to_string(repeat));
  o.repeat = repeat.getNumOccurrences()    ? int(repeat)
             : o.command == Command::Bench ? 7
                                           : 1;
  if (format != "text" && format != "json")
    return wrongInput("expected --format text or json, found '" + format + "'");
  o.json = format == "json";
  if (o.command == Command::Bench)
    return readShape(o);
  for (auto [name, path] :
       {std::pair("--q", &o.q), std::pair("--k", &o.k), std::pair("--v", &o.v)})
    if (path->empty())
      return wrongInput(std::string("expected ") + name + " with a .npy file");
  return runtime::Status();
}

runtime::Result<Options> fovea::tool::parseOptions(int argc, char **argv) {
  cl::SetVersionPrinter(
      [](raw_ostream &os) { os << "fovea " << compilerVersion() << "\n"; });
  // LLVM's libraries bring hundreds of options of their own.
  cl::HideUnrelatedOptions(category);
  for (cl::SubCommand *command : {&compileCommand, &runCommand, &benchCommand})
    cl::HideUnrelatedOptions(category, *command);
  cl::ParseCommandLineOptions(argc, argv, helpFor(argc, argv));
  Options options;
  if (compileCommand)
    options.command = Command::Compile;
  else if (runCommand)
    options.command = Command::Run;
  else if (benchCommand)
    options.command = Command::Bench;
  else
    return wrongInput("expected a command: compile, run or bench (see "
                      "'fovea --help')");
  if (runtime::Status s = readCompile(options); !s)
    return s.error();
  if (options.command != Command::Compile)
    if (runtime::Status s = readRun(options); !s)
      return s.error();
  return options;
}
