# Finds the libraries that tieout links, and links them statically where the system allows it, so that an installed
# program, a wheel or a container image needs no packages for them. The C++ library stays shared: the program, the
# LibTorch adapter and LibTorch exchange C++ objects and must have one copy of it.

find_package(fmt REQUIRED)
find_path(TIEOUT_EXPECTED_INCLUDE tl/expected.hpp REQUIRED)
find_path(TIEOUT_CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
find_path(TIEOUT_MUSTACHE_INCLUDE kainjow/mustache.hpp REQUIRED)

# fmt: its headers, used as fmt's own target declares them, and the rest compiled here.
add_library(tieout_fmt STATIC "${PROJECT_SOURCE_DIR}/reports/text/fmt_library.cpp")
target_compile_features(tieout_fmt PUBLIC cxx_std_20)
set_target_properties(tieout_fmt PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
foreach(property INCLUDE_DIRECTORIES COMPILE_DEFINITIONS)
  get_target_property(value fmt::fmt INTERFACE_${property})
  if(value)
    set_property(TARGET tieout_fmt APPEND PROPERTY INTERFACE_${property} "${value}")
    set_property(TARGET tieout_fmt APPEND PROPERTY ${property} "${value}")
  endif()
endforeach()

# tieout_static(NAME SHARED target ARCHIVE file [NEEDS libraries]) defines the target NAME: the archive with the headers
# of the target SHARED, or that target where the system has no archive.
function(tieout_static name)
  cmake_parse_arguments(PARSE_ARGV 1 LIBRARY "" "SHARED;ARCHIVE" "NEEDS")
  find_library(TIEOUT_${LIBRARY_ARCHIVE} ${LIBRARY_ARCHIVE})
  add_library(${name} INTERFACE)
  if(TIEOUT_${LIBRARY_ARCHIVE})
    target_link_libraries(${name} INTERFACE "${TIEOUT_${LIBRARY_ARCHIVE}}" ${LIBRARY_NEEDS})
    target_include_directories(${name} SYSTEM INTERFACE
      "$<TARGET_PROPERTY:${LIBRARY_SHARED},INTERFACE_INCLUDE_DIRECTORIES>")
  else()
    target_link_libraries(${name} INTERFACE ${LIBRARY_SHARED})
  endif()
endfunction()

tieout_static(tieout_sqlite SHARED SQLite::SQLite3 ARCHIVE libsqlite3.a NEEDS Threads::Threads ${CMAKE_DL_LIBS} m)
tieout_static(tieout_zlib SHARED ZLIB::ZLIB ARCHIVE libz.a)
