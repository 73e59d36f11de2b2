#!/bin/bash
# SPDX-License-Identifier: MulanPSL-2.0
# The last module of the lean life: takes out what dracut's modules bring and no boot of ours runs.
# It touches the image only. Depended on by cci; cci_trim=no leaves everything in.

# called by dracut
check() {
    return 255
}

_cci_drop() {
    local _path
    for _path in "$@"; do
        rm -rf -- "${initdir:?}/usr$_path" "${initdir:?}$_path"
    done
}

_cci_drop_programs() {
    local _name
    for _name in "$@"; do
        _cci_drop "/bin/$_name" "/sbin/$_name"
    done
}

_cci_drop_udev_rules() {
    local _rule
    for _rule in "$initdir"/{usr/,}lib/udev/rules.d/* "$initdir"/etc/udev/rules.d/*; do
        case ${_rule##*/} in
            50-udev-default.rules | 60-block.rules | 60-persistent-storage.rules | 80-drivers.rules) ;;
            75-net-description.rules | 80-net-setup-link.rules | 80-cci.rules | 99-systemd.rules) ;;
            *) rm -f -- "$_rule" ;;
        esac
    done
    _cci_drop /lib/udev/{ata_id,scsi_id,cdrom_id,path_id,input_id,usb_id,hwdb.bin} /lib/udev/hwdb.d
    rm -rf -- "${initdir:?}"/etc/udev/udev.hwdb "${initdir:?}"/etc/udev/hwdb.d
}

_cci_drop_units() {
    local _unit
    for _unit in systemd-modules-load.service systemd-sysctl.service kmod-static-nodes.service \
        systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service \
        systemd-ask-password-console.path systemd-random-seed.service; do
        _cci_drop "/lib/systemd/system/sysinit.target.wants/$_unit"
    done
    _cci_drop /lib/systemd/system/sockets.target.wants/systemd-journald-audit.socket
    _cci_drop /lib/systemd/system-generators/systemd-{debug,gpt-auto}-generator
    _cci_drop /lib/systemd/systemd-{coredump,cgroups-agent,reply-password,fsck,sysctl,modules-load,vconsole-setup,volatile-root,sysroot-fstab-check}
    _cci_drop /lib/modules-load.d /lib/sysctl.d /lib/tmpfiles.d
}

# A library that no program and no other library names. What systemd and libc open by name at run
# time is kept where it is used: name service, and libkmod.
_cci_drop_libraries() {
    local _needed _file _name _again=1

    type -P readelf > /dev/null || return 0
    while [[ $_again ]]; do
        _again=
        _needed=$(find "$initdir" -type f \( -perm -100 -o -name '*.so*' \) -exec readelf -d {} + 2> /dev/null \
            | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u)
        while IFS= read -r _file; do
            _name=${_file##*/}
            case $_name in
                ld-* | libc.so* | libnss_dns* | libnss_files* | libkmod* | libcrypto*) continue ;;
            esac
            grep -qxF -- "$_name" <<< "$_needed" && continue
            # a file that a needed link leads to has a longer name
            _cci_is_linked "$_file" "$_needed" && continue
            rm -f -- "$_file"
            _again=1
        done < <(find "$initdir" -name '*.so*' -type f -path '*lib*' ! -path '*/lib/modules/*' ! -path '*/systemd/*')
    done
    find "$initdir" -xtype l -name '*.so*' -delete
}

_cci_is_linked() {
    local _link
    for _link in "${1%/*}"/*.so*; do
        [[ -L $_link && $_link -ef $1 ]] && grep -qxF -- "${_link##*/}" <<< "$2" && return 0
    done
    return 1
}

# What dracut puts in when all modules are done, unless it is there already: an empty file keeps it out.
# libgcc_s is for threads that are cancelled, and there are none; that of 32 bits nothing here can use.
_cci_forestall() {
    local _path
    for _path in /usr/lib32/libgcc_s.so.1 /usr/libx32/libgcc_s.so.1; do
        _cci_put_empty "$_path"
    done
    rm -f -- "$initdir"/usr/lib{32,x32}/libnss_*
    [[ ${cci_https-} == yes ]] && return 0
    for _path in /usr/lib/*-linux-gnu*/libgcc_s.so.1 /usr/lib64/libgcc_s.so.1; do
        _cci_is_needed libgcc_s.so.1 || _cci_put_empty "$_path"
    done
}

_cci_put_empty() {
    [[ -e $dracutsysrootdir$1 ]] || return 0
    mkdir -p "$initdir${1%/*}"
    rm -f -- "$initdir$1"
    : > "$initdir$1"
}

# Whether a program of the image, or a library of one, is linked with that. dracut brings libraries in
# when all modules are done, so this machine's are asked; those of another cannot be, and then it is.
_cci_is_needed() {
    local _named

    [[ ${dracutsysrootdir-} ]] && return 0
    type -P ldd > /dev/null || return 0
    _named=$(find "$initdir" -type f -perm -100 -exec ldd {} + 2> /dev/null)
    [[ $_named == *"$1"* ]]
}

# Units that nothing reaches any more, or that would do what was taken out.
_cci_drop_idle_units() {
    local _unit
    for _unit in debug-shell.service kmod-static-nodes.service sys-kernel-config.mount syslog.socket \
        systemd-ask-password-console.{path,service} systemd-journald-audit.socket \
        systemd-modules-load.service systemd-random-seed.service systemd-sysctl.service \
        systemd-tmpfiles-setup{,-dev}.service systemd-udev-settle.service \
        systemd-volatile-root.service; do
        _cci_drop "/lib/systemd/system/$_unit"
    done
}

# Modules that systemd would like to have loaded and no boot of ours uses. What asks for them does
# without, or has them from the new root.
_cci_drop_kernel_modules() {
    local _name
    for _name in autofs4 efivarfs af_alg algif_hash; do
        find "$initdir"/lib/modules/ "$initdir"/usr/lib/modules/ -name "$_name.ko*" -delete 2> /dev/null
    done
    # PID 1 asks for autofs4, and would call it an error that it is not here
    inst_simple "$moddir/modprobe.conf" /usr/lib/modprobe.d/50-cci.conf
}

# Lists that nothing in the initramfs reads; dracut brings them in at the very end.
_cci_forestall_lists() {
    local _name

    mkdir -p "$initdir/lib/modules/$kernel"
    for _name in modules.order modules.builtin.modinfo; do
        : > "$initdir/lib/modules/$kernel/$_name"
    done
}

# called by dracut, after install; the last module has all others' before it
installkernel() {
    [[ ${cci_trim-} == no ]] && return 0
    _cci_drop_kernel_modules
    _cci_forestall_lists
    return 0
}

# called by dracut
install() {
    [[ ${cci_trim-} == no ]] && return 0
    _cci_drop_programs less sed findmnt flock cp mv mkfifo chown chmod tr setsid sleep mknod readlink rmmod \
        initqueue loginit rdsosreport dracut-util dracut-getarg dracut-getargs \
        systemd-run systemd-escape systemd-cgls systemd-tmpfiles systemd-ask-password \
        systemd-tty-ask-password-agent depmod lsmod modinfo insmod swapoff loginctl nologin uname echo mkdir true chroot
    [[ ${cci_shell-} == yes ]] || _cci_drop_programs journalctl ls cat dmesg ln rm blkid sh dash bash
    _cci_drop /lib/dracut-lib.sh /lib/dracut-dev-lib.sh
    rm -rf -- "${initdir:?}"/lib/dracut/hooks
    rm -f -- "$initdir"/lib/dracut/dracut-util
    _cci_drop_units
    _cci_drop_idle_units
    _cci_drop_udev_rules
    _cci_drop_libraries
    _cci_forestall
    return 0
}
