# SPDX-License-Identifier: MulanPSL-2.0
# bash completion for cci; written by `cci completion bash`

# Names of jobs or hosts, asked from the server; nothing when it does not answer at once.
_cci_names()
{
	timeout 2 cci completion "$1" 2>/dev/null
}

_cci()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local verb= words= options= i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--server) ((i++)) ;;
		-*) ;;
		*) verb=${COMP_WORDS[i]}; break ;;
		esac
	done
	case $verb in
	'') words='submit run ps show log wait result get cancel retry boot hosts host events completion' options='--server --json --help --version' ;;
	submit) words='file' options='--follow --dry-run --progress --quiet --give-up --server --json --help' ;;
	run) words='' options='--host --set --time --detach --dry-run --progress --quiet --give-up --server --json --help' ;;
	ps) words='' options='--all --state --host --limit --server --json --help' ;;
	show) words='jobs' options='--server --json --help' ;;
	log) words='jobs' options='--follow --progress --quiet --give-up --server --json --help' ;;
	wait) words='jobs' options='--progress --quiet --give-up --server --json --help' ;;
	result) words='jobs' options='--junit --tap --server --json --help' ;;
	get) words='jobs' options='--output --all --server --json --help' ;;
	cancel) words='jobs' options='--server --json --help' ;;
	retry) words='jobs' options='--server --json --help' ;;
	boot) words='jobs' options='--svg --server --json --help' ;;
	hosts) words='' options='--server --json --help' ;;
	host) words='hosts' options='--server --json --help' ;;
	events) words='' options='--follow --job --after --server --json --help' ;;
	completion) words='' options='--server --json --help' ;;
	esac
	case $prev in
	-H|--host) words=hosts ;;
	-o|--output) words=file ;;
	esac
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
		return
	fi
	case $words in
	file) compopt -o default ;;
	jobs|hosts) COMPREPLY=($(compgen -W "$(_cci_names "$words")" -- "$cur")) ;;
	*) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
	esac
}

complete -F _cci cci
