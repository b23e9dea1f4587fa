# Every outside library, named once. docs/dependencies.md says why each was chosen.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(CONFUSE REQUIRED IMPORTED_TARGET libconfuse>=3.3)
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(LDNS REQUIRED IMPORTED_TARGET ldns>=1.8)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto>=3.0)
# Of attachment-milter alone: without both it is not built.
pkg_check_modules(GMIME IMPORTED_TARGET gmime-3.0>=3.2)
pkg_check_modules(ARCHIVE IMPORTED_TARGET libarchive>=3.4)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37)
# Without it rows of aggregate reports are kept in a file only.
if(AUTHMILTER_REDIS)
  pkg_check_modules(HIREDIS IMPORTED_TARGET hiredis>=0.14)
endif()
# Without one of them maps cannot ask that kind of server.
pkg_check_modules(LDAP IMPORTED_TARGET ldap>=2.5)
pkg_check_modules(PQ IMPORTED_TARGET libpq>=13)
pkg_check_modules(MARIADB IMPORTED_TARGET libmariadb>=3.1)
pkg_check_modules(LIBXML REQUIRED IMPORTED_TARGET libxml-2.0)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

# libmilter ships no pkg-config file.
find_path(MILTER_INCLUDE_DIR libmilter/mfapi.h REQUIRED)
find_library(MILTER_LIBRARY milter REQUIRED)
add_library(am_libmilter INTERFACE)
target_include_directories(am_libmilter SYSTEM INTERFACE "${MILTER_INCLUDE_DIR}")
target_link_libraries(am_libmilter INTERFACE "${MILTER_LIBRARY}" Threads::Threads)

if(PEER_ENGINES)
  find_path(SPF2_INCLUDE_DIR spf2/spf.h REQUIRED)
  find_library(SPF2_LIBRARY spf2 REQUIRED)
  add_library(am_libspf2 INTERFACE)
  target_include_directories(am_libspf2 SYSTEM INTERFACE "${SPF2_INCLUDE_DIR}")
  target_link_libraries(am_libspf2 INTERFACE "${SPF2_LIBRARY}")

  find_path(OPENDKIM_INCLUDE_DIR opendkim/dkim.h REQUIRED)
  find_library(OPENDKIM_LIBRARY opendkim REQUIRED)
  add_library(am_libopendkim INTERFACE)
  target_include_directories(am_libopendkim SYSTEM INTERFACE "${OPENDKIM_INCLUDE_DIR}")
  target_link_libraries(am_libopendkim INTERFACE "${OPENDKIM_LIBRARY}")
endif()

if(BUILD_TESTING)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
endif()
