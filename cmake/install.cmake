# find_package(journeyman) from an installed prefix: journeyman::journeyman and the header-only journeyman::core.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/journeyman)

install(TARGETS journeyman_core journeyman EXPORT journeyman
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY include/journeyman DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
        FILES_MATCHING PATTERN "*.hpp")
install(EXPORT journeyman NAMESPACE journeyman:: FILE journeymanTargets.cmake
        DESTINATION ${package_dir} COMPONENT development)

configure_package_config_file(cmake/journeymanConfig.cmake.in journeymanConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(journeymanConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/journeymanConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/journeymanConfigVersion.cmake
        cmake/FindRE2.cmake cmake/FindIcal.cmake cmake/target_names.cmake
        DESTINATION ${package_dir} COMPONENT development)
