/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * ccid.yaml as a table (config_read.h).
 */
#pragma once

struct config;
struct config_key;

/* The section that is the whole file; offsets count from a struct config. */
extern const struct config_key config_file_key;

/* What an empty file would mean. */
extern const struct config config_defaults;
