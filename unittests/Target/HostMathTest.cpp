// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The elementary functions that scores use, as host code, against the C library
// in double: relative errors over their range, and the values at the edges.
#include "fovea/Target/Host/Host.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace fovea::host;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct Function {
  const char *name;
  double (*reference)(double);
  float from, to;
  std::vector<float> edges;
};

class HostMath : public testing::TestWithParam<Function> {
protected:
  void SetUp() override {
    // f(in, out, unused): eight lanes, then the first lane again as a scalar.
    std::string text = llvm::formatv(R"(
      func.func @f(%in: !llvm.ptr, %out: !llvm.ptr, %unused: !llvm.ptr) {{
        %x = llvm.load %in {{alignment = 4 : i64} : !llvm.ptr -> vector<8xf32>
        %y = math.{0} %x : vector<8xf32>
        llvm.store %y, %out {{alignment = 4 : i64} : vector<8xf32>, !llvm.ptr
        %s = llvm.load %in : !llvm.ptr -> f32
        %t = math.{0} %s : f32
        %last = llvm.getelementptr %out[8] : (!llvm.ptr) -> !llvm.ptr, f32
        llvm.store %t, %last : f32, !llvm.ptr
        return
      })",
                                     GetParam().name);
    auto set = llvm::cantFail(InstructionSet::detect());
    mlir::DialectRegistry registry;
    registerDialects(registry);
    registry.insert<mlir::func::FuncDialect, mlir::math::MathDialect>();
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    mlir::PassManager pm(&context);
    buildPipeline(pm, set);
    ASSERT_TRUE(mlir::succeeded(pm.run(*module)));
    KernelCode code;
    code.context = std::make_unique<llvm::LLVMContext>();
    code.module = mlir::translateModuleToLLVMIR(*module, *code.context);
    ASSERT_TRUE(code.module);
    auto object = llvm::cantFail(emitObject(code, set));
    kernel = llvm::cantFail(JITKernel::create(object, "f", "f"));
  }

  /// Both forms must agree to the last bit.
  float evaluate(float x) {
    float in[8], out[9] = {};
    std::fill(in, in + 8, x);
    kernel->getFunction()(reinterpret_cast<void **>(in),
                          reinterpret_cast<int32_t *>(out), nullptr);
    if (std::isnan(out[8]))
      EXPECT_TRUE(std::isnan(out[3]));
    else
      EXPECT_EQ(out[3], out[8]);
    return out[8];
  }

  std::unique_ptr<JITKernel> kernel;
};

TEST_P(HostMath, RelativeErrorBelowAMillionth) {
  const Function &f = GetParam();
  double worst = 0;
  float at = 0;
  for (int i = 0; i <= 20000; ++i) {
    float x = f.from + (f.to - f.from) * (i / 20000.0f);
    double expected = f.reference(x), got = evaluate(x);
    double error =
        std::fabs(got - expected) / std::fmax(std::fabs(expected), 1e-30);
    if (expected == 0 ? got != 0 : error > worst) {
      worst = error;
      at = x;
    }
  }
  EXPECT_LT(worst, 1e-6) << f.name << " at " << at;
}

TEST_P(HostMath, EdgesAreThoseOfTheCLibrary) {
  const Function &f = GetParam();
  for (float x : f.edges) {
    float expected = float(f.reference(x)), got = evaluate(x);
    SCOPED_TRACE(testing::Message() << f.name << "(" << x << ")");
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(got)) << got;
    else if (std::isinf(expected) || expected == 0)
      EXPECT_EQ(got, expected);
    else
      EXPECT_NEAR(got / expected, 1, 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, HostMath,
    testing::Values(
        Function{
            "exp", std::exp, -87, 88.7f, {0, -inf, inf, nan, -200, 200, 88.7f}},
        Function{"exp2",
                 std::exp2,
                 -126,
                 127.99f,
                 {0, 1, -1, -inf, inf, nan, -300, 300, 127.99f}},
        Function{"log",
                 std::log,
                 1e-3f,
                 1e4f,
                 {0, 1, -1, inf, nan, 1.2e-38f, 1e38f, 0.99999f, 1.00001f}},
        Function{"log2",
                 std::log2,
                 1e-3f,
                 1e4f,
                 {0, 1, -1, inf, nan, 1.2e-38f, 1e38f, 0.99999f, 1.00001f}},
        Function{
            "tanh", std::tanh, -10, 10, {0, 1e-8f, -1e-4f, inf, -inf, nan, 40}},
        Function{"sqrt", std::sqrt, 0, 1e6f, {0, -1, inf, nan, 1e-38f}}),
    [](const testing::TestParamInfo<Function> &info) {
      return info.param.name;
    });

} // namespace
