#pragma once
// Everything a user of the library needs. Left out: core/arrow_abi.hpp (only for who speaks Arrow's C interface) and all detail/ folders;
// and segment/, workflow/, kpi/, playbook/, run/, whose interfaces are laid down but have no bodies yet.

#include "journeyman/core/error.hpp"
#include "journeyman/core/hash.hpp"
#include "journeyman/core/table.hpp"
#include "journeyman/core/time.hpp"
#include "journeyman/core/value.hpp"
#include "journeyman/core/zone.hpp"
#include "journeyman/history/builder.hpp"
#include "journeyman/history/history.hpp"
#include "journeyman/predicate/expression.hpp"
#include "journeyman/predicate/membership.hpp"
#include "journeyman/predicate/select.hpp"
#include "journeyman/version.hpp"
