# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# `cmake --install build --prefix X`: libraries, headers, tools, and the package
# that find_package(Fovea) finds. Included last, when every target is known.
include(CMakePackageConfigHelpers)
set(FOVEA_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Fovea)

# What tools and tests share among themselves stays here.
get_property(all_libraries GLOBAL PROPERTY FOVEA_LIBRARIES)
foreach(library ${all_libraries})
  get_target_property(folder ${library} SOURCE_DIR)
  if(folder MATCHES "^${PROJECT_SOURCE_DIR}/(lib|runtime)(/|$)")
    list(APPEND libraries ${library})
  endif()
endforeach()
install(TARGETS ${libraries} EXPORT FoveaTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(tool fovea fovea-opt fovea-sim fovea-fuzz fovea-tightness)
  if(TARGET ${tool})
    install(TARGETS ${tool} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

# Headers: written, generated from ODS, and the runtime's.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/fovea ${PROJECT_BINARY_DIR}/include/fovea
  ${PROJECT_SOURCE_DIR}/runtime/include/fovea
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.h.inc"
  PATTERN CMakeFiles EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT FoveaTargets NAMESPACE Fovea:: DESTINATION ${FOVEA_PACKAGE_DIR})
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/FoveaConfig.cmake.in ${PROJECT_BINARY_DIR}/FoveaConfig.cmake
  INSTALL_DESTINATION ${FOVEA_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/FoveaConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/FoveaConfig.cmake ${PROJECT_BINARY_DIR}/FoveaConfigVersion.cmake
  DESTINATION ${FOVEA_PACKAGE_DIR})
