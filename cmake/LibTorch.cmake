# Reads the folders of LibTorch that the program is built for. For each, the only code that includes LibTorch is compiled
# once: the adapter, oracle/CMakeLists.txt. At run time the program opens the LibTorch that TIEOUT_TORCH names, with the
# adapter of its minor version (docs/libtorch_versions.md).
#
# find_package(Torch) would require CUDA. Each folder is checked here, so that an unsuitable one is refused with a message
# that states the reason instead of errors of the linker.

# scripts/libtorch.txt defines the version that is fetched by default.
set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY
  CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/scripts/libtorch.txt")
file(STRINGS "${PROJECT_SOURCE_DIR}/scripts/libtorch.txt" tieout_torch_pins REGEX "torch==")
list(GET tieout_torch_pins 0 tieout_torch_pin)  # the first version is the default one
string(REGEX MATCH "torch==([0-9.]+)" tieout_torch_pin "${tieout_torch_pin}")
set(TIEOUT_TORCH_VERSION "${CMAKE_MATCH_1}")
set(tieout_oldest_torch 2.9)  # as kOldestLibTorch in oracle/engines/libtorch_version.h

set(TIEOUT_TORCH "${PROJECT_SOURCE_DIR}/.deps/libtorch" CACHE PATH
  "LibTorch with FBGEMM: a folder that holds include/ and lib/ (or torch/include, torch/lib)")
set(TIEOUT_TORCH_VERSIONS "" CACHE STRING "Folders of further LibTorch versions to build an adapter for, separated by ;")

function(tieout_refuse_torch folder)
  string(CONCAT reason ${ARGN})
  message(FATAL_ERROR "LibTorch in ${folder}: ${reason}\n"
    "TIEOUT_TORCH, and each folder of TIEOUT_TORCH_VERSIONS, must be a LibTorch ${tieout_oldest_torch} or newer with "
    "FBGEMM. Leave both unset and call scripts/run.sh, which fetches LibTorch ${TIEOUT_TORCH_VERSION} into "
    ".deps/libtorch; or name the folder of such a LibTorch, for example the one that `pip install "
    "torch==${TIEOUT_TORCH_VERSION}` fills.")
endfunction()

# Sets `root` to the folder that contains include/ and lib/, and `version` to the version of its headers. The file that
# contains the version depends on the release.
function(tieout_read_torch_version folder root version)
  foreach(candidate "${folder}" "${folder}/torch")
    foreach(file torch/headeronly/version.h torch/csrc/api/include/torch/version.h torch/version.h)
      if(EXISTS "${candidate}/include/${file}")
        file(STRINGS "${candidate}/include/${file}" lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
        if(lines)
          string(REGEX MATCHALL " [0-9]+" numbers "${lines}")
          string(REPLACE " " "" numbers "${numbers}")
          string(REPLACE ";" "." numbers "${numbers}")
          set(${root} "${candidate}" PARENT_SCOPE)
          set(${version} "${numbers}" PARENT_SCOPE)
          return()
        endif()
      endif()
    endforeach()
  endforeach()
  tieout_refuse_torch("${folder}" "no LibTorch is there: neither include/ nor torch/include/ has a version.h.")
endfunction()

# Sets `result` to whether the library contains the text, such as a symbol's name. Names are near the beginning of a
# library, where grep finds them quickly, so that no linker is needed.
function(tieout_has_symbol library text result)
  execute_process(COMMAND grep -qaF "${text}" "${library}" RESULT_VARIABLE status)
  if(status EQUAL 0)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

function(tieout_check_torch folder root version)
  if(version VERSION_LESS tieout_oldest_torch)
    tieout_refuse_torch("${folder}" "this is LibTorch ${version}, which exports too little of FBGEMM.")
  endif()
  foreach(library libtorch_cpu.so libc10.so)
    if(NOT EXISTS "${root}/lib/${library}")
      tieout_refuse_torch("${folder}" "lib/${library} is missing.")
    endif()
  endforeach()
  if(root MATCHES ";")
    tieout_refuse_torch("${folder}" "the folder's name has a semicolon, which separates folders; move it.")
  endif()
  tieout_has_symbol("${root}/lib/libc10.so" "torchCheckFailEPKcS2_jRKNSt7__cxx11" new_abi)
  if(NOT new_abi)
    tieout_refuse_torch("${folder}"
      "it was built with the C++ ABI from before C++11 (_GLIBCXX_USE_CXX11_ABI=0): no link.")
  endif()
  tieout_has_symbol("${root}/lib/libtorch_cpu.so" "fbgemmForceIsa" has_fbgemm)
  if(NOT has_fbgemm OR NOT EXISTS "${root}/include/fbgemm/Utils.h")
    tieout_refuse_torch("${folder}" "it was built without FBGEMM, the engine that this project compares with.")
  endif()
  # ldd lists the libraries that libtorch_cpu.so needs and that are missing. The wheel for CPUs needs none beside its own,
  # the one for CUDA two more.
  execute_process(COMMAND ldd "${root}/lib/libtorch_cpu.so" OUTPUT_VARIABLE needs ERROR_QUIET)
  string(REGEX MATCHALL "[^ \t\n]+ => not found" lacks "${needs}")
  if(lacks)
    list(REMOVE_DUPLICATES lacks)
    list(JOIN lacks ", " lacks)
    tieout_refuse_torch("${folder}" "lib/libtorch_cpu.so asks for libraries that are not there: ${lacks}. "
      "CUDA's come from the packages that ${PROJECT_SOURCE_DIR}/scripts/libtorch.txt names.")
  endif()
endfunction()

# Defines for each folder tieout_torch_MINOR, with the headers and libraries to compile and link an adapter with, and
# tieout_torch_root_MINOR, its folder; and tieout_torch_minors, the list of their minor versions. The first folder of a
# minor version is taken.
set(tieout_torch_minors "")
foreach(folder "${TIEOUT_TORCH}" ${TIEOUT_TORCH_VERSIONS})
  tieout_read_torch_version("${folder}" tieout_torch_root tieout_torch_found)
  tieout_check_torch("${folder}" "${tieout_torch_root}" "${tieout_torch_found}")
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" tieout_minor "${tieout_torch_found}")
  if(NOT tieout_torch_minors)
    set(tieout_first_torch_root "${tieout_torch_root}")
  endif()
  if(NOT tieout_minor IN_LIST tieout_torch_minors)
    list(APPEND tieout_torch_minors "${tieout_minor}")
    set(tieout_torch_root_${tieout_minor} "${tieout_torch_root}")
    add_library(tieout_torch_${tieout_minor} INTERFACE)
    target_include_directories(tieout_torch_${tieout_minor} SYSTEM INTERFACE "${tieout_torch_root}/include"
      "${tieout_torch_root}/include/torch/csrc/api/include")
    target_link_libraries(tieout_torch_${tieout_minor} INTERFACE
      "${tieout_torch_root}/lib/libtorch_cpu.so" "${tieout_torch_root}/lib/libc10.so")
  endif()
endforeach()

# The folder of the LibTorch that the program opens without the environment variable TIEOUT_TORCH. A package for other
# machines is configured with -DTIEOUT_DEFAULT_TORCH= (empty), so that the program looks for the Python package torch.
if(DEFINED TIEOUT_DEFAULT_TORCH)
  set(tieout_default_torch "${TIEOUT_DEFAULT_TORCH}")
else()
  set(tieout_default_torch "${tieout_first_torch_root}")
endif()
