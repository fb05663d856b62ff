# yaml-cpp got its namespace with 0.8; Debian 12 and Ubuntu 22.04 and 24.04 have earlier or mixed names.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED)
  set_target_properties(yaml-cpp::yaml-cpp PROPERTIES INTERFACE_LINK_LIBRARIES yaml-cpp)
endif()
