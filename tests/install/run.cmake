# cmake -DBUILD=DIR -DSOURCE=DIR -DWORK=DIR -DC_FLAGS=FLAGS -DLIBDIR=DIR -P run.cmake
#
# Installs authres twice, from this build and as a project of its own, and has a foreign project
# built and run against each: static, shared and through pkg-config, in C and C++.

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
foreach(part IN ITEMS include/authres.h man/man3/authres.3 libauthres.a libauthres.so.0 authres.pc
        authresConfig.cmake authresConfigVersion.cmake)
  string(FIND "${moved_files}" "${part}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${part} is not among ${moved_files}")
  endif()
endforeach()

# Only the public interface is visible, and all of it.
file(GLOB_RECURSE shared "${WORK}/moved/libauthres.so.0")
execute_process(COMMAND nm -D --defined-only "${shared}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "ar_[a-z0-9_]+" visible "${symbols}")
file(STRINGS "${SOURCE}/authres/authres.h" prototypes REGEX "^[a-z].*[ *]ar_[a-z0-9_]+\\(")
list(TRANSFORM prototypes REPLACE "^.*[ *](ar_[a-z0-9_]+)\\(.*$" "\\1")
list(SORT visible)
list(SORT prototypes)
if(NOT visible STREQUAL prototypes)
  message(FATAL_ERROR "exported: ${visible}\ndeclared: ${prototypes}")
endif()
