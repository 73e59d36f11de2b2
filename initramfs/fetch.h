/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The step that brings a root image into memory, whatever the network does meanwhile.
 */
#pragma once

#include "initramfs/plan.h"

/*
 * Fetches plan->url to /run/cci/img/root.img, on a tmpfs of its own that is as large as the image.
 * A connection that breaks is taken up where it broke (Range, If-Range). What may pass (network,
 * 408, 425, 429, 5xx) is tried again, waiting longer each time, until cci.timeout has gone by
 * without a byte and cci.retry tries have been made; another status ends it at once; a wrong length
 * ends it before the first byte where the server tells it; wrong bytes are fetched once more.
 * Redirects are followed, five at most. Progress is told every two seconds. A certificate that is
 * not good ends it at once. https is fetched by cci-init-https, which takes this process over.
 * Returns 0, or -ECANCELED when the failure has been told.
 */
int fetch_image(const struct plan *plan);
