#pragma once
#include <journeyman/journeyman.hpp>

journeyman::history story();
