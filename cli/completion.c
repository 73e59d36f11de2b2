/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/completion.h"

#include "cli/verb.h"

static const char head[] =
	"# SPDX-License-Identifier: MulanPSL-2.0\n"
	"# bash completion for cci; written by `cci completion bash`\n"
	"\n"
	"# Names of jobs or hosts, asked from the server; nothing when it does not answer at once.\n"
	"_cci_names()\n"
	"{\n"
	"\ttimeout 2 cci completion \"$1\" 2>/dev/null\n"
	"}\n"
	"\n"
	"_cci()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tlocal verb= words= options= i\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n"
	"\t\t--server) ((i++)) ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*) verb=${COMP_WORDS[i]}; break ;;\n"
	"\t\tesac\n"
	"\tdone\n";

static const char tail[] =
	"\tif [[ $cur == -* ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase $words in\n"
	"\tfile) compopt -o default ;;\n"
	"\tjobs|hosts) COMPREPLY=($(compgen -W \"$(_cci_names \"$words\")\" -- \"$cur\")) ;;\n"
	"\t*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"complete -F _cci cci\n";

static const char *words_of(const struct verb *verb)
{
	switch (verb->completes) {
	case VERB_WORDS_NONE:
		return "";
	case VERB_WORDS_FILE:
		return "file";
	case VERB_WORDS_JOB:
		return "jobs";
	case VERB_WORDS_HOST:
		return "hosts";
	}
	return "";
}

static void append_options(struct buffer *out, const struct option_table *table)
{
	for (size_t i = 0; i < table->n_specs; i++)
		buffer_printf(out, "%s--%s", i > 0 ? " " : "", table->specs[i].name);
}

static void append_verb(struct buffer *out, const struct verb *verb)
{
	buffer_printf(out, "\t%s) words='%s' options='", verb->name, words_of(verb));
	append_options(out, &verb->options);
	if (verb->options.n_specs > 0)
		buffer_append_text(out, " ");
	append_options(out, &verb_common_options);
	buffer_append_text(out, "' ;;\n");
}

void completion_write_bash(struct buffer *out)
{
	buffer_append_text(out, head);
	buffer_append_text(out, "\tcase $verb in\n\t'') words='");
	for (size_t i = 0; i < verb_count; i++)
		buffer_printf(out, "%s%s", i > 0 ? " " : "", verb_table[i]->name);
	buffer_append_text(out, "' options='");
	append_options(out, &verb_common_options);
	buffer_append_text(out, " ");
	append_options(out, &verb_program_options);
	buffer_append_text(out, "' ;;\n");
	for (size_t i = 0; i < verb_count; i++)
		append_verb(out, verb_table[i]);
	buffer_append_text(out, "\tesac\n"
	                        "\tcase $prev in\n"
	                        "\t-H|--host) words=hosts ;;\n"
	                        "\t-o|--output) words=file ;;\n"
	                        "\tesac\n");
	buffer_append_text(out, tail);
}
