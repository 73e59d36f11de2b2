#!/bin/sh

export_top_env()
{
	export suite='openeuler_docker'
	export category='functional'
	export testbox='vm-2p8g.taishan200-2280-2s64p-256g--a105-3'
	export tbox_group='vm-2p8g.taishan200-2280-2s64p-256g--a105'
	export os='openeuler'
	export os_arch='aarch64'
	export os_version='20.03'
	export os_mount='initramfs'
	export rootfs_disk='/dev/vdb'
	export crashkernel='256M'
	export runtime=3600
	export timeout=7200
	export my_name='O'\''Brien, $HOME `id` "x"'
	export my_email='o.brien@example.com'
	export need_kconfig='OVERLAY_FS'
	export initrd_deps='http://172.168.131.2:8800/initrd/deps/initramfs/openeuler/aarch64/20.03/lkp/lkp_20211026.cgz
http://172.168.131.2:8800/initrd/deps/initramfs/openeuler/aarch64/20.03/md/md_20201104.cgz'
	export install_depend_packages_all='gcc make curl'
	export nested='a
b
3
1.5
true'
	export PATH_of='two
lines'
	export on_finish='reboot'
	export os_dir='openeuler/aarch64/20.03'
	export rootfs='openeuler-20.03-aarch64'
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
	check_set_var suite 'openeuler_docker'
	check_set_var category 'functional'
	check_set_var testbox 'vm-2p8g.taishan200-2280-2s64p-256g--a105-3'
	check_set_var tbox_group 'vm-2p8g.taishan200-2280-2s64p-256g--a105'
	check_set_var os 'openeuler'
	check_set_var os_arch 'aarch64'
	check_set_var os_version '20.03'
	check_set_var os_mount 'initramfs'
	check_set_var rootfs_disk '/dev/vdb'
	check_set_var crashkernel '256M'
	check_set_var runtime 3600
	check_set_var timeout 7200
	check_set_var my_name 'O'\''Brien, $HOME `id` "x"'
	check_set_var my_email 'o.brien@example.com'
	check_set_var need_kconfig 'OVERLAY_FS'
	check_set_var initrd_deps 'http://172.168.131.2:8800/initrd/deps/initramfs/openeuler/aarch64/20.03/lkp/lkp_20211026.cgz
http://172.168.131.2:8800/initrd/deps/initramfs/openeuler/aarch64/20.03/md/md_20201104.cgz'
	check_set_var install_depend_packages_all 'gcc make curl'
	check_set_var nested 'a
b
3
1.5
true'
	check_set_var PATH_of 'two
lines'
	check_set_var on_finish 'reboot'
	check_set_var os_dir 'openeuler/aarch64/20.03'
	check_set_var rootfs 'openeuler-20.03-aarch64'
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
	echo $$ > $TMP/run-job.pid

	export_top_env
	export docker_image='centos:7'
	echo "image $docker_image"
	echo "suite $suite"
	echo "name $my_name"
}



extract_stats()
{
	export stats_part_begin=
}



define_files()
{
	export define_files="a b"
}

on_fail()
{
	:
}

"$@"
