# Installs what a user's project needs: the command, the program that runs subjects and the LibTorch adapters, the
# headers of kernels and of GoogleTest tests, the cases of the contract, and a CMake package.
include(CMakePackageConfigHelpers)

set(tieout_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/tieout")
set_target_properties(tieout_kernel PROPERTIES EXPORT_NAME kernel)
target_include_directories(tieout_kernel INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")

install(TARGETS tieout tieout_kernel EXPORT tieoutTargets RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS tieout_subject_host RUNTIME DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}")
foreach(minor IN LISTS tieout_torch_minors)
  install(TARGETS tieout_libtorch_${minor} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endforeach()
install(FILES kernels/tieout_kernel.h kernels/tieout_operator.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES props/package/kernel_gtest.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tieout" RENAME gtest.h)
install(FILES cases/strings/shell_word.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tieout/cases/strings")
install(FILES props/properties/corpus/contract.txt DESTINATION "${CMAKE_INSTALL_DATADIR}/tieout")
install(EXPORT tieoutTargets NAMESPACE tieout:: DESTINATION "${tieout_cmake_dir}")
# The manual page and the completions are printed by the installed program, so that they agree with it.
foreach(text "help --man:tieout.1" "completion bash:tieout.bash" "completion zsh:_tieout" "completion fish:tieout.fish")
  string(REGEX MATCH "(.*):(.*)" whole "${text}")
  string(REPLACE " " ";" words "${CMAKE_MATCH_1}")
  install(CODE "execute_process(COMMAND \"$<TARGET_FILE:tieout>\" ${words}
    OUTPUT_FILE \"${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_MATCH_2}\" COMMAND_ERROR_IS_FATAL ANY)")
endforeach()
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/tieout.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/tieout.bash" RENAME tieout
  DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/_tieout" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/tieout.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
install(FILES LICENSE THIRD_PARTY_NOTICES CHANGELOG.md SECURITY.md CITATION.cff docs/stability.md
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
configure_package_config_file(cmake/tieoutConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/tieoutConfig.cmake"
  INSTALL_DESTINATION "${tieout_cmake_dir}" PATH_VARS CMAKE_INSTALL_DATADIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/tieoutConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/tieoutConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/tieoutConfigVersion.cmake"
  cmake/TieoutKernelTest.cmake DESTINATION "${tieout_cmake_dir}")
