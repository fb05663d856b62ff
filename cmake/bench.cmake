# Each bench/*.cpp is a program with a main of its own (BENCHMARK_MAIN() or plain).
find_package(benchmark REQUIRED)
file(GLOB benches CONFIGURE_DEPENDS bench/*.cpp)
foreach(source IN LISTS benches)
  cmake_path(GET source STEM name)
  add_executable(bench_${name} ${source})
  target_link_libraries(bench_${name} PRIVATE journeyman::journeyman journeyman_developer benchmark::benchmark)
endforeach()
