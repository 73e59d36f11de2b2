#!/bin/bash
# SPDX-License-Identifier: MulanPSL-2.0
# The cci root: a generator that plans, small services that do. For dracut 055 and later.
#
# Two lives. Lean, when dracut is given a whole list of modules without dracut-systemd
#     dracut --no-hostonly -m 'dash systemd systemd-initrd base udev-rules cci' ...
# is networkd of our own and no script of dracut at boot. Full, by plain `dracut --add cci`, stands
# beside whatever else dracut brings, with one hook. Settings, in dracut.conf or the environment:
#     cci_life=lean|full       instead of guessing as above
#     cci_drivers=virtio|common|none   network cards and disks to bring along (common); none when
#                              they come in a cgz of their own
#     cci_net_roots=yes|no     roots on NFS and CIFS servers: their modules, 1.6 MB (yes in the full life)
#     cci_https=yes            root=live:https:// and reports to https:// too: libcurl and its libraries, 12 MB
#     cci_ca=FILE              whom https trusts (PEM); the distribution's bundle
#     cci_shell=yes            an emergency shell in the lean life (the full one has dracut's)
#     cci_local=yes            roots on the machine's own disks: lvm, device-mapper, mkfs
#     cci_programs=DIR         where cci-generator and cci-init are (/usr/lib/cci)

_cci_is_lean() {
    case ${cci_life-} in
        lean) return 0 ;;
        full) return 1 ;;
    esac
    case "${dracutmodules:-all}" in
        all | auto) return 1 ;;
        *dracut-systemd*) return 1 ;;
    esac
    return 0
}

_cci_has_module() {
    local _dir
    for _dir in "${dracutbasedir:-/usr/lib/dracut}"/modules.d/[0-9][0-9]"$1"; do
        [[ -d $_dir ]] && return 0
    done
    return 1
}

# called by dracut: never on its own account
check() {
    require_binaries "${cci_programs:-/usr/lib/cci}/cci-generator" "${cci_programs:-/usr/lib/cci}/cci-init" || return 1
    return 255
}

# called by dracut
depends() {
    echo systemd systemd-initrd base udev-rules
    if _cci_is_lean; then
        _cci_has_module zcci-lean && echo zcci-lean
        return 0
    fi
    echo dracut-systemd
    # some distributions pack dracut's network apart; without it ours is taken
    _cci_has_module network && echo network
    return 0
}

_cci_has_net_roots() {
    case ${cci_net_roots-} in
        yes) return 0 ;;
        no) return 1 ;;
    esac
    ! _cci_is_lean
}

# What mounts a root from a file server, and what that asks for only when it speaks with one: the
# kernel loads it by name then.
_cci_install_net_roots() {
    hostonly='' instmods nfs nfsv3 nfsv4 nfs_layout_nfsv41_files nfs_layout_flexfiles sunrpc lockd grace \
        softdog cifs dns_resolver nls_utf8 nls_ascii nls_iso8859_1 \
        ccm gcm cmac ecb hmac md4 md5 arc4 aes_generic des_generic sha256_generic sha512_generic cifs_arc4 cifs_md4
}

# called by dracut
installkernel() {
    # what every boot of ours may need: the layers, and a socket for DHCP
    hostonly='' instmods overlay loop squashfs erofs ext4 af_packet
    # and what a kernel that dies leaves its last words in, where the firmware has variables
    hostonly='' instmods efi_pstore
    _cci_has_net_roots && _cci_install_net_roots
    [[ ${cci_local-} == yes ]] && hostonly='' instmods dm_mod dm_snapshot xfs
    [[ ${cci_drivers:-common} == none ]] && return 0
    hostonly='' instmods virtio_pci virtio_mmio virtio_net virtio_blk virtio_scsi sd_mod
    [[ ${cci_drivers:-common} == virtio ]] && return 0
    hostonly='' instmods xfs \
        e1000 e1000e igb igc ixgbe i40e ice tg3 bnx2 bnx2x bnxt_en r8169 mlx4_en mlx5_core \
        hinic hns3 hclge hclgevf ena gve vmxnet3 hv_netvsc xen_netfront cxgb4 qede be2net \
        nvme ahci megaraid_sas mpt3sas hisi_sas_v3_hw smartpqi aacraid hpsa vmw_pvscsi \
        hv_storvsc xen_blkfront sr_mod usb_storage uas
    return 0
}

# networkd, its rules and names; nothing is enabled: the generator's units pull it when needed
_cci_install_networkd() {
    inst_multiple \
        "$systemdutildir"/systemd-networkd \
        "$systemdutildir"/systemd-networkd-wait-online \
        "$systemdsystemunitdir"/systemd-networkd.service \
        "$systemdsystemunitdir"/systemd-networkd-wait-online.service \
        "$systemdutildir"/network/99-default.link || {
        dfatal "cci: systemd-networkd is needed where dracut brings no network"
        exit 1
    }
    inst_multiple -o "$systemdsystemunitdir"/systemd-networkd.socket
    inst_rules 80-net-setup-link.rules
    inst_simple "$moddir/20-cci.network" /usr/lib/systemd/network/20-cci.network
}

# Events for fewer devices. The many of ACPI are asked for where a driver may hang on one of them, as
# that of Hyper-V's bus does.
_cci_install_coldplug() {
    local _file=$systemdsystemunitdir/systemd-udev-trigger.service.d/50-cci.conf
    inst_simple "$moddir/coldplug.conf" "$_file"
    [[ ${cci_drivers:-common} == virtio ]] || sed -i 's/--subsystem-nomatch=acpi //' "$initdir/$_file"
}

# In the lean life nothing strange runs beside networkd, udevd and journald, and setting up their
# sandboxes takes a third of their time.
_cci_install_dropins() {
    local _unit
    for _unit in systemd-networkd systemd-udevd systemd-journald; do
        inst_simple "$moddir/no-sandbox.conf" "$systemdsystemunitdir/$_unit.service.d/50-cci.conf"
    done
    _cci_install_coldplug
    inst_simple "$moddir/journald.conf" "$systemdutildir/journald.conf.d/50-cci.conf"
    inst_simple "$moddir/80-cci.rules" "$udevdir/rules.d/80-cci.rules"
}

# The program that has TLS, and certificates to know a server by.
_cci_install_https() {
    local _program=$1/cci-init-https

    [[ -x $_program ]] || {
        dfatal "cci: cci_https=yes, but there is no $_program: build cci with libcurl"
        exit 1
    }
    inst_binary "$_program" /usr/bin/cci-init-https
    if [[ ${cci_ca-} ]]; then
        [[ -r $cci_ca ]] && inst_simple "$cci_ca" /etc/cci/ca.pem && return 0
        dfatal "cci: cannot read cci_ca=$cci_ca"
        exit 1
    fi
    inst_multiple -o /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/openssl.cnf
    [[ -e $initdir/etc/ssl/certs/ca-certificates.crt || -e $initdir/etc/pki/tls/certs/ca-bundle.crt ]] \
        || dwarn "cci: cci_https=yes, but no certificates are here: give cci_ca=FILE"
}

# What `local` runs: lvm without its daemons, and what makes file systems and lets them grow. udev's
# rules for lvm are left out: cci-init makes volumes appear itself.
_cci_install_local() {
    inst_multiple lvm mkfs.ext4 || {
        dfatal "cci: cci_local=yes needs lvm2 and e2fsprogs"
        exit 1
    }
    inst_multiple -o mkfs.xfs xfs_growfs resize2fs /etc/mke2fs.conf
}

_cci_install_shell() {
    inst_multiple sh sulogin ls cat dmesg mount umount journalctl systemctl
    inst_multiple -o ip less blkid
    inst_simple "$moddir/emergency.service" "$systemdsystemunitdir/emergency.service"
}

# called by dracut
install() {
    local _programs=${cci_programs:-/usr/lib/cci} _crypto

    inst_binary "$_programs/cci-generator" "$systemdutildir/system-generators/cci-generator"
    inst_binary "$_programs/cci-init" /usr/bin/cci-init
    inst_simple "$moddir/cci-guard.service" "$systemdsystemunitdir/cci-guard.service"
    mkdir -p "$initdir$systemdsystemunitdir/initrd.target.wants"
    ln -sf ../cci-guard.service "$initdir$systemdsystemunitdir/initrd.target.wants/cci-guard.service"
    inst_multiple modprobe mount umount
    # cci-init opens it by name, to check a sha256
    _crypto=$(grep -ao 'libcrypto\.so\.[0-9.]*' "$_programs/cci-init" | head -n 1)
    [[ $_crypto ]] && inst_libdir_file "$_crypto*"
    # names of servers
    inst_libdir_file 'libnss_dns.so*' 'libnss_files.so*'
    [[ ${cci_https-} == yes ]] && _cci_install_https "$_programs"
    [[ ${cci_local-} == yes ]] && _cci_install_local
    if _cci_is_lean; then
        _cci_install_networkd
        _cci_install_dropins
        [[ ${cci_shell-} == yes ]] && _cci_install_shell
    else
        dracut_module_included network || dracut_module_included systemd-networkd || _cci_install_networkd
        inst_hook cmdline 10 "$moddir/cci-cmdline.sh"
    fi
    return 0
}
