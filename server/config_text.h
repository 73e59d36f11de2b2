/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What texts of ccid.yaml must look like. All take a text that is not empty.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"

/* a path from the root */
bool config_text_is_absolute(struct slice text);
/* anything else */
bool config_text_is_relative(struct slice text);
/* a name that the kernel takes for a network interface */
bool config_text_is_interface(struct slice text);
/* letters, digits, - and _, a letter or digit first: it begins job ids */
bool config_text_is_lab(struct slice text);
/* /NAME, one plain component */
bool config_text_is_url_prefix(struct slice text);
/* can stand in root= before or behind a colon */
bool config_text_is_one_word(struct slice text);
/* an absolute path of that kind */
bool config_text_is_export_path(struct slice text);
/* SHARE or SHARE/DIRECTORY, before a comma */
bool config_text_is_share(struct slice text);
/* can stand in cifs://USER:PASSWORD@ */
bool config_text_is_credential(struct slice text);
/* mount options, none of which says who mounts: that has keys of its own */
bool config_text_is_cifs_options(struct slice text);
