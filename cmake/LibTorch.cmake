# Defines tieout::torch, LibTorch as the PyPI wheel ships it: headers and two libraries. find_package(Torch) would
# require CUDA. TIEOUT_TORCH names the folder, which is checked here, so that an unsuitable one is refused with a
# message that states the reason instead of errors of the linker.

# scripts/libtorch.txt is the only place that defines the version of LibTorch.
set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY
  CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/scripts/libtorch.txt")
file(STRINGS "${PROJECT_SOURCE_DIR}/scripts/libtorch.txt" tieout_torch_pin REGEX "^torch==")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" TIEOUT_TORCH_VERSION "${tieout_torch_pin}")

set(TIEOUT_TORCH "${PROJECT_SOURCE_DIR}/.deps/libtorch" CACHE PATH
  "LibTorch ${TIEOUT_TORCH_VERSION} with FBGEMM: a folder that holds include/ and lib/ (or torch/include, torch/lib)")

function(tieout_refuse_torch)
  string(CONCAT reason ${ARGV})
  message(FATAL_ERROR "TIEOUT_TORCH=${TIEOUT_TORCH}: ${reason}\n"
    "Tieout needs LibTorch ${TIEOUT_TORCH_VERSION} with FBGEMM and the C++11 ABI. Leave TIEOUT_TORCH unset and call "
    "scripts/run.sh, which fetches it into .deps/libtorch; or name the folder of such a LibTorch, for example the one "
    "that `pip install torch==${TIEOUT_TORCH_VERSION}` fills.")
endfunction()

# The file that contains the version depends on the release.
set(tieout_torch_root "")
foreach(root "${TIEOUT_TORCH}" "${TIEOUT_TORCH}/torch")
  foreach(file torch/headeronly/version.h torch/csrc/api/include/torch/version.h torch/version.h)
    if(NOT tieout_torch_root AND EXISTS "${root}/include/${file}")
      file(STRINGS "${root}/include/${file}" version_lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
      if(version_lines)
        set(tieout_torch_root "${root}")
        string(REGEX MATCHALL " [0-9]+" version_numbers "${version_lines}")
        string(REPLACE " " "" version_numbers "${version_numbers}")
        string(REPLACE ";" "." tieout_torch_found "${version_numbers}")
      endif()
    endif()
  endforeach()
endforeach()

if(NOT tieout_torch_root)
  tieout_refuse_torch("no LibTorch is there: neither include/ nor torch/include/ has a version.h.")
endif()
if(NOT tieout_torch_found VERSION_EQUAL TIEOUT_TORCH_VERSION)
  tieout_refuse_torch("this is LibTorch ${tieout_torch_found}.")
endif()
foreach(library libtorch_cpu.so libc10.so)
  if(NOT EXISTS "${tieout_torch_root}/lib/${library}")
    tieout_refuse_torch("lib/${library} is missing.")
  endif()
endforeach()

# The entries of a run path are separated by colons. A folder with a colon would become two entries, one of them
# relative.
if(tieout_torch_root MATCHES "[:;]")
  tieout_refuse_torch("the folder's name has a colon or a semicolon, which a run path cannot hold; move it.")
endif()

# Sets `result` to whether the library contains the text, such as a symbol's name. Names are near the beginning of a
# library, where grep finds them quickly, so that no linker is needed.
function(tieout_has_symbol library text result)
  execute_process(COMMAND grep -qaF "${text}" "${tieout_torch_root}/lib/${library}" RESULT_VARIABLE status)
  if(status EQUAL 0)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

tieout_has_symbol(libc10.so "torchCheckFailEPKcS2_jRKNSt7__cxx11" tieout_torch_new_abi)
if(NOT tieout_torch_new_abi)
  tieout_refuse_torch("it was built with the C++ ABI from before C++11 (_GLIBCXX_USE_CXX11_ABI=0): no link.")
endif()
tieout_has_symbol(libtorch_cpu.so "fbgemmForceIsa" tieout_torch_has_fbgemm)
if(NOT tieout_torch_has_fbgemm OR NOT EXISTS "${tieout_torch_root}/include/fbgemm/Utils.h")
  tieout_refuse_torch("it was built without FBGEMM, the engine that this project compares with.")
endif()

# ldd lists the libraries that libtorch_cpu.so needs and that are missing. The wheel for CPUs needs none beside its own,
# the one for CUDA two more.
execute_process(COMMAND ldd "${tieout_torch_root}/lib/libtorch_cpu.so" OUTPUT_VARIABLE tieout_torch_needs ERROR_QUIET)
string(REGEX MATCHALL "[^ \t\n]+ => not found" tieout_torch_lacks "${tieout_torch_needs}")
if(tieout_torch_lacks)
  list(REMOVE_DUPLICATES tieout_torch_lacks)
  list(JOIN tieout_torch_lacks ", " tieout_torch_lacks)
  tieout_refuse_torch("lib/libtorch_cpu.so asks for libraries that are not there: ${tieout_torch_lacks}. "
    "CUDA's come from the packages that ${PROJECT_SOURCE_DIR}/scripts/libtorch.txt names.")
endif()

add_library(tieout_torch INTERFACE)
add_library(tieout::torch ALIAS tieout_torch)
target_include_directories(tieout_torch SYSTEM INTERFACE "${tieout_torch_root}/include"
  "${tieout_torch_root}/include/torch/csrc/api/include")
target_link_libraries(tieout_torch INTERFACE
  "${tieout_torch_root}/lib/libtorch_cpu.so" "${tieout_torch_root}/lib/libc10.so")
