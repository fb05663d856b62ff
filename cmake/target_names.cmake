# Targets that got their present names late: yaml-cpp its namespace with 0.8, SQLite3 its own with CMake 4.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED)
  set_target_properties(yaml-cpp::yaml-cpp PROPERTIES INTERFACE_LINK_LIBRARIES yaml-cpp)
endif()
if(NOT TARGET SQLite3::SQLite3)
  add_library(SQLite3::SQLite3 INTERFACE IMPORTED)
  set_target_properties(SQLite3::SQLite3 PROPERTIES INTERFACE_LINK_LIBRARIES SQLite::SQLite3)
endif()
