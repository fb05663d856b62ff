# readme.cpp: the C++ of README.md as it stands, block after block in one function, with a history and a playbook beside it.
#     cmake -DREADME=… -DOUT=… -P readme.cmake
file(READ ${README} page)
string(REPLACE ";" "<semicolon>" page "${page}")
string(REPLACE "[" "<bracket>" page "${page}")
string(REGEX MATCHALL "\n```cpp\n[^`]*\n```" blocks "${page}")
list(LENGTH blocks count)
if(count EQUAL 0)
  message(FATAL_ERROR "${README} shows no C++")
endif()
foreach(block IN LISTS blocks)
  string(REGEX REPLACE "\n```(cpp)?" "" block "${block}")
  string(REPLACE "<bracket>" "[" block "${block}")
  string(REPLACE "\n" ";" lines "${block}")
  foreach(line IN LISTS lines)
    string(REPLACE "<semicolon>" ";" line "${line}")
    string(REPLACE "…" "std::cout << id << '\\n';" line "${line}")   # "and so on", for the reader
    if(line MATCHES "^(#include|namespace|using namespace)")
      string(APPEND top "${line}\n")
    else()
      string(APPEND body "    ${line}\n")
    endif()
  endforeach()
endforeach()
file(WRITE ${OUT} "// Made of ${README} by readme.cmake.
#include <iostream>
#include <string>
${top}
int main()
{
    const jm::instant t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}}, t1 = t0 + 1_d, t2 = t0 + 3_d;
${body}}
")
