# cmake -DPROGRAM=FILE -DEXPECTED=FILE -P compare.cmake: the program prints what is in the file.
execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
file(READ "${EXPECTED}" expected)
if(NOT printed STREQUAL expected)
  message(FATAL_ERROR "${PROGRAM} printed\n${printed}\nin place of\n${expected}")
endif()
