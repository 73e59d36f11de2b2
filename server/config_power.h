/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One host of `power:` as a table (config_read.h).
 */
#pragma once

#include "server/config_read.h"

/* Name and value of a member of the map; offsets count from a struct power_method. */
extern const struct config_key config_power_member[2];
