# Third parties. None of their headers is included from include/journeyman: they are private to src/.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED CONFIG)         # Graph and Math, headers only
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(date REQUIRED)
find_package(SQLite3 3.35 REQUIRED)
find_package(RE2 REQUIRED)
find_package(simdjson REQUIRED)
find_package(fmt 8 REQUIRED)
find_package(Ical QUIET)                         # schedule rules; the library builds without
include(${CMAKE_CURRENT_LIST_DIR}/target_names.cmake)
