# What a developer of this project wants and a consumer must never notice: warnings, sanitizers, ccache, precompiled headers.
add_library(journeyman_developer INTERFACE)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
  endif()

  find_program(CCACHE ccache)
  if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # The sloppiness is what ccache asks for where headers are precompiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  endif()

  target_compile_options(journeyman_developer INTERFACE -Wall -Wextra -Wpedantic
      -Wno-missing-field-initializers)   # `{.until = t}` leaves the other members as declared, on purpose
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # g++'s full -Wshadow holds enumerators of scoped enumerations against types of the same name.
    # g++ 12 sees overlaps and overflows in `"text" + std::string` (its bug 105651). -fpch-preprocess is for ccache.
    target_compile_options(journeyman_developer INTERFACE -Wshadow=local -Wno-restrict -Wno-stringop-overflow -fpch-preprocess)
  else()
    target_compile_options(journeyman_developer INTERFACE -Wshadow)
  endif()
  if(JOURNEYMAN_WERROR)
    target_compile_options(journeyman_developer INTERFACE -Werror)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      # g++ 12 finds these in the standard library and in Eigen once it inlines: seen, not fatal.
      foreach(w IN ITEMS maybe-uninitialized array-bounds stringop-overread dangling-pointer
              free-nonheap-object use-after-free)
        target_compile_options(journeyman_developer INTERFACE -Wno-error=${w})
      endforeach()
    endif()
  endif()

  if(JOURNEYMAN_SANITIZE)
    # For every target, so that containers agree on their layout and the reports name our lines.
    add_compile_options(-fsanitize=${JOURNEYMAN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
    add_link_options(-fsanitize=${JOURNEYMAN_SANITIZE})
  endif()
endif()

# The standard headers everything uses, compiled once for each target; more of them as further arguments.
function(journeyman_precompile target)
  if(NOT JOURNEYMAN_PCH)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <chrono> <compare> <concepts> <cstdint> <functional> <map> <memory> <numeric> <optional>
      <ranges> <span> <sstream> <stdexcept> <string> <string_view> <tuple> <type_traits> <unordered_map> <utility>
      <variant> <vector> ${ARGN})
endfunction()
