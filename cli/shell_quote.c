/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/shell_quote.h"

#include "lib/base/text.h"

/* Whether no character of the word means anything to a shell (POSIX XCU 2.2). */
static bool is_plain(const char *word)
{
	if (word[0] == '\0')
		return false;
	for (const char *p = word; *p; p++)
		if (!char_is_alnum(*p) && !strchr("_-./,:@%+=", *p))
			return false;
	return true;
}

/* name=value in front would be an assignment. */
static bool is_assignment(const char *word)
{
	return strchr(word, '=') != NULL;
}

static void append_quoted(struct buffer *out, const char *word)
{
	buffer_append_text(out, "'");
	for (const char *p = word; *p; p++) {
		if (*p == '\'')
			buffer_append_text(out, "'\\''");
		else
			buffer_append(out, p, 1);
	}
	buffer_append_text(out, "'");
}

void shell_quote_command(struct buffer *out, const char *const words[], size_t n_words)
{
	if (n_words == 1) {
		buffer_append_text(out, words[0]);
		return;
	}
	for (size_t i = 0; i < n_words; i++) {
		if (i > 0)
			buffer_append_text(out, " ");
		if (is_plain(words[i]) && !(i == 0 && is_assignment(words[i])))
			buffer_append_text(out, words[i]);
		else
			append_quoted(out, words[i]);
	}
}
