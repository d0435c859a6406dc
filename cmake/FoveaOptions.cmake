# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Packages, warnings and sanitizers, in one place.
include(GNUInstallDirs)
# Installed tools find LLVM's shared objects where the build found them.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

set(FOVEA_LLVM_ROOT /usr/lib/llvm-22 CACHE PATH "Prefix of LLVM and MLIR 22")
list(PREPEND CMAKE_PREFIX_PATH ${FOVEA_LLVM_ROOT})
find_package(MLIR REQUIRED CONFIG PATHS ${FOVEA_LLVM_ROOT}/lib/cmake/mlir)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "Fovea needs LLVM and MLIR 22, found ${LLVM_VERSION} in ${LLVM_DIR}")
endif()
find_package(TBB REQUIRED)
find_package(GTest REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

add_compile_options(-Wall -Wextra -Wno-unused-parameter -fno-omit-frame-pointer)
if(FOVEA_WERROR)
  add_compile_options(-Werror)
endif()
if(FOVEA_SANITIZE)
  # LLVM's own shared objects are not instrumented, so containers that cross
  # the border must not carry annotations.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr,function
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
