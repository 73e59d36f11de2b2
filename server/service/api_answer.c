/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/api.h"

void api_answer_deinit(struct api_answer *answer)
{
	buffer_deinit(&answer->body);
}
