# cmake -DBUILD=DIR -DSOURCE=DIR -DWORK=DIR -DCC=FILE -DC_FLAGS=FLAGS -DLIBDIR=DIR -P run.cmake
#
# Installs authres twice, from this build and as a project of its own, and has a foreign project
# built and run against each: static, shared and through pkg-config, in C99 and C++11. Looks into the
# shared libraries, and builds and runs the examples of the manual page.

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

# Builds and runs the foreign project against the installation below `prefix`.
function(foreign name prefix)
  set(build "${WORK}/foreign-${name}")
  file(GLOB_RECURSE pc "${prefix}/authres.pc")
  get_filename_component(pkgconfig "${pc}" DIRECTORY)
  get_filename_component(libdir "${pkgconfig}" DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} "${pkgconfig}")
  run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/foreign" -B "${build}"
      "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_BUILD_RPATH=${libdir}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${build}")
  run("${CMAKE_CTEST_COMMAND}" --test-dir "${build}" --output-on-failure --no-tests=error)
endfunction()

file(REMOVE_RECURSE "${WORK}")
set(ENV{CC} "${CC}")
if(CC MATCHES "clang")
  string(REGEX REPLACE "clang([^/]*)$" "clang++\\1" CXX "${CC}")
  set(ENV{CXX} "${CXX}")
endif()

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/suite" --component authres)
foreign(suite "${WORK}/suite" "-DCMAKE_C_FLAGS=${C_FLAGS}" "-DCMAKE_CXX_FLAGS=${C_FLAGS}")

# Under its own name no folder of a source release can be counted on.
file(COPY "${SOURCE}/authres/" DESTINATION "${WORK}/authres-release")
run("${CMAKE_COMMAND}" -S "${WORK}/authres-release" -B "${WORK}/alone" -DCMAKE_BUILD_TYPE=Release
    "-DCMAKE_INSTALL_LIBDIR=${LIBDIR}")
run("${CMAKE_COMMAND}" --build "${WORK}/alone")
run("${CMAKE_COMMAND}" --install "${WORK}/alone" --prefix "${WORK}/moved")
foreign(alone "${WORK}/moved")
foreign(pkg-config "${WORK}/moved" -DUSE_PKG_CONFIG=ON)

# The examples of the manual page do what it says: with the suite's flags, and as others build them.
set(strict -std=c11 -Wall -Wextra -Wpedantic -Werror)
separate_arguments(flags UNIX_COMMAND "${C_FLAGS}")
file(GLOB_RECURSE page "${WORK}/moved/authres.3")
file(GLOB_RECURSE archive "${WORK}/suite/libauthres.a")
run("${CMAKE_CURRENT_LIST_DIR}/manual-examples" "${page}" "${WORK}/examples-suite" "${CC}" ${strict} ${flags}
    "-I${WORK}/suite/include" "${archive}")
file(GLOB_RECURSE shared "${WORK}/moved/libauthres.so")
get_filename_component(libdir "${shared}" DIRECTORY)
run("${CMAKE_CURRENT_LIST_DIR}/manual-examples" "${page}" "${WORK}/examples-shared" "${CC}" ${strict}
    "-I${WORK}/moved/include" "-L${libdir}" "-Wl,-rpath,${libdir}" -lauthres)

# The same files both ways, and nothing of the suite among them.
foreach(tree IN ITEMS suite moved)
  file(GLOB_RECURSE files RELATIVE "${WORK}/${tree}" "${WORK}/${tree}/*")
  list(FILTER files EXCLUDE REGEX "Targets-[a-z]+\\.cmake$")
  list(SORT files)
  set(${tree}_files "${files}")
endforeach()
if(NOT suite_files STREQUAL moved_files)
  message(FATAL_ERROR "the suite installs ${suite_files}\nauthres alone installs ${moved_files}")
endif()
foreach(part IN ITEMS include/authres.h man/man3/authres.3 libauthres.a libauthres.so.1 authres.pc
        authresConfig.cmake authresConfigVersion.cmake)
  string(FIND "${moved_files}" "${part}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${part} is not among ${moved_files}")
  endif()
endforeach()

# prints(OUT COMMAND...): what a command prints, in English.
function(prints out)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C ${ARGN}
                  OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

file(STRINGS "${SOURCE}/authres/authres.h" prototypes REGEX "^[a-z].*[ *]ar_[a-z0-9_]+\\(")
list(TRANSFORM prototypes REPLACE "^.*[ *](ar_[a-z0-9_]+)\\(.*$" "\\1")
list(SORT prototypes)
file(STRINGS "${SOURCE}/authres/authres.map" listed REGEX "^ +ar_[a-z0-9_]+;$")
list(TRANSFORM listed REPLACE "[ ;]" "")
if(NOT listed STREQUAL prototypes)
  message(FATAL_ERROR "authres.map lists: ${listed}\ndeclared: ${prototypes}")
endif()

foreach(tree IN ITEMS suite moved)
  file(GLOB_RECURSE shared "${WORK}/${tree}/libauthres.so.1")

  # Only the public interface is visible, all of it, each symbol with its version.
  prints(symbols nm -D --defined-only "${shared}")
  string(REGEX MATCHALL "ar_[a-z0-9_]+@@AUTHRES_1" visible "${symbols}")
  string(REGEX MATCHALL " [A-Z] [^A]" defined "${symbols}")
  list(TRANSFORM visible REPLACE "@@AUTHRES_1" "")
  list(SORT visible)
  list(LENGTH visible visible_count)
  list(LENGTH defined defined_count)
  if(NOT visible STREQUAL prototypes OR NOT visible_count EQUAL defined_count)
    message(FATAL_ERROR "exported: ${symbols}\ndeclared: ${prototypes}")
  endif()

  # It needs the C library and nothing else; no sanitizer came with the suite's flags.
  prints(dynamic readelf -d "${shared}")
  string(REGEX MATCHALL "NEEDED[^\n]*" needed "${dynamic}")
  list(FILTER needed EXCLUDE REGEX "\\[libc\\.")
  prints(undefined nm -D --undefined-only "${shared}")
  string(REGEX MATCHALL "U [^\n]*" missing "${undefined}")
  list(FILTER missing EXCLUDE REGEX "@GLIBC_")
  if(NOT needed STREQUAL "" OR NOT missing STREQUAL "")
    message(FATAL_ERROR "${shared} needs more than the C library: ${needed} ${missing}")
  endif()
  prints(loaded ldd -r "${shared}")
  if(loaded MATCHES "not found|undefined symbol")
    message(FATAL_ERROR "${shared}: ${loaded}")
  endif()

  # Hardened like the programs.
  prints(segments readelf -Wl "${shared}")
  if(NOT dynamic MATCHES "BIND_NOW" OR NOT segments MATCHES "GNU_RELRO" OR segments MATCHES "GNU_STACK[^\n]*E"
     OR NOT undefined MATCHES "__stack_chk_fail"
     OR NOT dynamic MATCHES "SONAME[^\n]*\\[libauthres\\.so\\.1\\]")
    message(FATAL_ERROR "${shared}: ${dynamic}${segments}")
  endif()
endforeach()

# The program that was linked statically needs no library at all, the others find authres by its soname.
prints(dynamic readelf -d "${WORK}/foreign-pkg-config/foreign_pkg-static_c")
if(dynamic MATCHES "NEEDED")
  message(FATAL_ERROR "not static: ${dynamic}")
endif()
foreach(program IN ITEMS alone/foreign_shared_c alone/foreign_shared_cc pkg-config/foreign_pkg_c)
  prints(dynamic readelf -d "${WORK}/foreign-${program}")
  if(NOT dynamic MATCHES "NEEDED[^\n]*\\[libauthres\\.so\\.1\\]")
    message(FATAL_ERROR "${program} does not need the shared library: ${dynamic}")
  endif()
endforeach()
