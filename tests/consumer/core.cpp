// journeyman::core alone: headers and the standard library.
#include <journeyman/core/time.hpp>
#include <journeyman/version.hpp>

using namespace journeyman::literals;

int main()
{
    static_assert(journeyman::length{30_d}.is_fixed());
    return journeyman::length{1_mo}.months == 1 ? 0 : 1;
}
