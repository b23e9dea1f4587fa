# How every target of this project is compiled, in one place. The flags travel on an interface
# library, so that no folder edits CMAKE_C_FLAGS and an embedding project is left alone.

add_library(am_build INTERFACE)
target_compile_features(am_build INTERFACE c_std_17)
target_compile_definitions(am_build INTERFACE _GNU_SOURCE AM_VERSION="${PROJECT_VERSION}")
target_include_directories(am_build INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(am_build INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
  -Wformat=2 -Wwrite-strings -fno-common)
if(AUTHMILTER_WERROR)
  target_compile_options(am_build INTERFACE -Werror)
endif()

if(AUTHMILTER_SANITIZE)
  target_compile_options(am_build INTERFACE
    -fsanitize=${AUTHMILTER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(am_build INTERFACE -fsanitize=${AUTHMILTER_SANITIZE})
endif()
if(AUTHMILTER_FUZZ)
  target_compile_options(am_build INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(AUTHMILTER_COVERAGE)
  target_compile_options(am_build INTERFACE --coverage)
  target_link_options(am_build INTERFACE --coverage)
endif()

if(AUTHMILTER_HARDEN)
  include(CheckCCompilerFlag)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  target_compile_options(am_build INTERFACE -fPIE -fstack-protector-strong -fstack-clash-protection)
  target_compile_options(am_build INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  target_link_options(am_build INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
  # Control-flow integrity: hardware-assisted with gcc and clang on x86-64.
  check_c_compiler_flag(-fcf-protection=full AUTHMILTER_HAVE_CF_PROTECTION)
  if(AUTHMILTER_HAVE_CF_PROTECTION)
    target_compile_options(am_build INTERFACE -fcf-protection=full)
  endif()
endif()

# am_add_library(NAME SOURCES... LINK LIBS...): one static library per floor.
function(am_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC am_build ${ARG_LINK})
endfunction()

# am_add_program(NAME SOURCES... LINK LIBS...)
function(am_add_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE am_build ${ARG_LINK})
endfunction()

# am_add_unit_test(NAME SOURCES... LINK LIBS...): a cmocka program registered with ctest.
function(am_add_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE am_build PkgConfig::CMOCKA ${ARG_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME unit/${name} COMMAND ${name})
  set_tests_properties(unit/${name} PROPERTIES TIMEOUT 120 LABELS unit)
endfunction()
