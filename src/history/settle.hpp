#pragma once

#include "journeyman/history/history.hpp"

namespace journeyman::detail {

/// Called when nothing in it changes any more: what is worked out from its columns is from now on kept with them, also in histories that share them.
void settle(history_data&);

}  // namespace journeyman::detail
