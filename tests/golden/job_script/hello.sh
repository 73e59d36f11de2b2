#!/bin/sh

export_top_env()
{
	export suite='hello'
	export testbox='vm-2p8g.taishan200-2280-2s64p-256g--a105-3'
	export os='debian'
	export os_arch='x86_64'
	export os_version='bookworm'
	export os_mount='initramfs'
	export runtime=60
	export greeting='it'\''s $5 \ "today"'
	export on_finish='reboot'
	export os_dir='debian/x86_64/bookworm'
	export rootfs='debian-bookworm-x86_64'
	export tbox_group='vm-2p8g'
	export id='z9.13138976'
	export result_root='/result/golden/z9.13138976'
	export LKP_SERVER='172.168.131.2'
	export LKP_CGI_PORT=3000
	export RESULT_WEBDAV_PORT=3080
	export RESULT_WEBDAV_HOST='172.168.131.2'
	export SCHED_HOST='172.168.131.2'
	export SCHED_PORT=3000
	export result_service='raw_upload'
	export job_state='boot'

	[ -n "$LKP_SRC" ] || export LKP_SRC=/lkp/${user:-lkp}/src
}

# check_set_var NAME VALUE: sets it unless job_vars names others
check_set_var()
{
	case " ${job_vars:-$1} " in
	*" $1 "*) eval "$1=\$2" ;;
	esac
}

read_job_vars()
{
	job_vars="$*"
	check_set_var suite 'hello'
	check_set_var testbox 'vm-2p8g.taishan200-2280-2s64p-256g--a105-3'
	check_set_var os 'debian'
	check_set_var os_arch 'x86_64'
	check_set_var os_version 'bookworm'
	check_set_var os_mount 'initramfs'
	check_set_var runtime 60
	check_set_var greeting 'it'\''s $5 \ "today"'
	check_set_var on_finish 'reboot'
	check_set_var os_dir 'debian/x86_64/bookworm'
	check_set_var rootfs 'debian-bookworm-x86_64'
	check_set_var tbox_group 'vm-2p8g'
	check_set_var id 'z9.13138976'
	check_set_var result_root '/result/golden/z9.13138976'
	check_set_var LKP_SERVER '172.168.131.2'
	check_set_var LKP_CGI_PORT 3000
	check_set_var RESULT_WEBDAV_PORT 3080
	check_set_var RESULT_WEBDAV_HOST '172.168.131.2'
	check_set_var SCHED_HOST '172.168.131.2'
	check_set_var SCHED_PORT 3000
	check_set_var result_service 'raw_upload'
	check_set_var job_state 'boot'
	unset job_vars
}

define_files()
{
	export define_files=
}

run_job()
{
	echo $$ >"${TMP:=/tmp}/run-job.pid"
	export_top_env
	cat >"$TMP/script" <<'end_of_script_1' || return
echo "$greeting"
echo "$suite $os_mount $id"
cat <<end_of_script
$TMP is where this runs
end_of_script
exit 3
end_of_script_1
	sh "$TMP/script"
}

"$@"
