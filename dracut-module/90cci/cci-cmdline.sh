#!/bin/sh
# SPDX-License-Identifier: MulanPSL-2.0
# Sourced by dracut-cmdline in the full life: tells dracut that the root is taken care of, and asks
# for its network where the plan has none of its own. cci-generator has decided already.
# shellcheck disable=SC2034 # root and rootok are dracut's

[ -e /run/cci/plan ] || return 0

cci_network=dracut
while IFS= read -r cci_line; do
    case $cci_line in
        kind=device | networkd=yes) cci_network= ;;
    esac
done < /run/cci/plan

root=cci
rootok=1
unset netroot

if [ -n "$cci_network" ]; then
    echo rd.neednet=1 > /etc/cmdline.d/99-cci.conf
    getarg ip= > /dev/null || echo ip=dhcp >> /etc/cmdline.d/99-cci.conf
    unset CMDLINE
fi
unset cci_network cci_line
