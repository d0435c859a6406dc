# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# fovea_add_library(Name [MLIR] SOURCES … [LINK …] [DEPENDS …])
#   A static library. With MLIR it sees LLVM and MLIR headers through one
#   shared precompiled header and links their shared objects; without, it must
#   not include them. DEPENDS names TableGen targets.
# fovea_add_executable(name [MLIR] SOURCES … [LINK …])

# The precompiled header is compiled once, in this target, and reused.
function(fovea_pch_target)
  if(TARGET FoveaPCH)
    return()
  endif()
  # Not file(WRITE): that would touch it, and rebuild everything, at each configure.
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/pch/pch.cpp CONTENT "// The precompiled header's source.\n")
  add_library(FoveaPCH OBJECT ${PROJECT_BINARY_DIR}/pch/pch.cpp)
  target_precompile_headers(FoveaPCH PRIVATE ${PROJECT_SOURCE_DIR}/cmake/MLIRHeaders.h)
  fovea_mlir_settings(FoveaPCH)
endfunction()

function(fovea_mlir_settings target)
  target_include_directories(${target} SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)
endfunction()

function(fovea_common target)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;LINK;DEPENDS" ${ARGN})
  if(ARG_MLIR)
    fovea_mlir_settings(${target})
    fovea_pch_target()
    target_precompile_headers(${target} REUSE_FROM FoveaPCH)
    target_link_libraries(${target} PUBLIC MLIR LLVM)
  else()
    target_include_directories(${target} PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
  endif()
  target_link_libraries(${target} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${target} ${ARG_DEPENDS})
  endif()
endfunction()

function(fovea_add_library name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  fovea_common(${name} ${ARGN})
  set_property(GLOBAL APPEND PROPERTY FOVEA_LIBRARIES ${name})
endfunction()

function(fovea_add_executable name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;LINK;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  fovea_common(${name} ${ARGN})
endfunction()

# One GoogleTest executable a folder of unittests/, registered with CTest.
function(fovea_add_unittest name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;LINK;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  fovea_common(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE GTest::gtest_main GTest::gmock)
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
                       WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endfunction()
