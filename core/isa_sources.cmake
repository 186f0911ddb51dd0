# convoy_isa_sources(TARGET FILE...): compiles each kernel file once per instruction set, each time
# in a namespace of its own (see core/base/isa.h). Without errno a square root is one instruction.
# Where there is no PREFETCHW it does nothing.
function(convoy_isa_sources target)
  set(isas generic)
  set(flags_generic "")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(isas generic avx2 avx512)
    set(flags_generic -mprfchw)
    target_compile_definitions(${target} PUBLIC CONVOY_X86_KERNELS)
  endif()
  set(flags_avx2 -mavx2 -mfma -mprfchw)
  set(flags_avx512 -mavx512f -mprfchw -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512)
  foreach(file ${ARGN})
    foreach(isa ${isas})
      convoy_isa_object(${target} ${file} ${isa} ${flags_${isa}})
    endforeach()
  endforeach()
endfunction()

# convoy_bf16_sources(TARGET ISA FILE...): compiles each kernel file once, for a set of instructions
# on bf16 (see core/blis/bf16.h), avx512bf16 or amx, if the processor is of that family.
function(convoy_bf16_sources target isa)
  set(flags_avx512bf16 -mavx512bf16)
  set(flags_amx -mavx512bf16 -mamx-tile -mamx-bf16)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    foreach(file ${ARGN})
      convoy_isa_object(${target} ${file} ${isa} -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma
                        -mprefer-vector-width=512 ${flags_${isa}})
    endforeach()
  endif()
endfunction()

function(convoy_isa_object target file isa)
  cmake_path(GET file STEM name)
  set(object ${target}_${name}_${isa})
  add_library(${object} OBJECT ${file})
  target_compile_definitions(${object} PRIVATE CONVOY_ISA_NAMESPACE=${isa}
    $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>)
  target_compile_options(${object} PRIVATE -fno-math-errno ${ARGN})
  target_include_directories(${object} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${object} PRIVATE convoy_flags)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
endfunction()
