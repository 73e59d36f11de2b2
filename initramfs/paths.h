/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Places in the initramfs that generator, units and cci-init agree on. /run outlives switch-root;
 * /run/cci/img and /run/cci/rw are mounts of their own, because /run holds a fifth of the memory.
 */
#pragma once

#define CCI_RUN_DIR      "/run/cci"
#define CCI_PLAN_FILE    CCI_RUN_DIR "/plan" /* plan_file.h; written by the generator, read by all */
#define CCI_STATE_FILE   CCI_RUN_DIR "/state"   /* stage=, step=, cause= of the first failure */
#define CCI_TRIES_FILE   CCI_RUN_DIR "/tries"   /* how often something was tried */
#define CCI_SAID_FILE    CCI_RUN_DIR "/said"    /* what cci-init has told, for a report */
#define CCI_INITRDS_FILE CCI_RUN_DIR "/initrds" /* lines STATE NAME: initrds.h */
#define CCI_STAGES_FILE  CCI_RUN_DIR "/stages"  /* how far the boot came: lines NAME UPTIME_MS */

#define CCI_IMG_DIR    CCI_RUN_DIR "/img" /* tmpfs for what is fetched */
#define CCI_IMG_FILE   CCI_IMG_DIR "/root.img"
#define CCI_LOWER_DIR  CCI_RUN_DIR "/lower"  /* what is below the overlay, read-only */
#define CCI_SOURCE_DIR CCI_RUN_DIR "/source" /* what a volume is filled from, read-only */
#define CCI_VOLUME_DIR CCI_RUN_DIR "/volume" /* the volume that is being filled */
#define CCI_RW_DIR     CCI_RUN_DIR "/rw"     /* for what is written: tmpfs, or a part of ... */
#define CCI_DISK_DIR   CCI_RUN_DIR "/disk"   /* ... a device */
#define CCI_UPPER_DIR  CCI_RW_DIR "/upper"
#define CCI_WORK_DIR   CCI_RW_DIR "/work"
#define CCI_NEW_ROOT   "/sysroot"

#define CCI_INIT_PROGRAM   "/usr/bin/cci-init"
#define CCI_HTTPS_PROGRAM  "/usr/bin/cci-init-https" /* in an image that asks for it */
#define CCI_CA_FILE        "/etc/cci/ca.pem"         /* whom https trusts, when it is there */
#define CCI_INITRD_RELEASE "/etc/initrd-release"
#define CCI_NETWORKD_UNIT  "/lib/systemd/system/systemd-networkd.service"
#define CCI_EMERGENCY_UNIT "/lib/systemd/system/emergency.service"
#define CCI_ATTEMPT_FILE   "/lkp/scheduled/attempt"
#define CCI_HANDOVER_DIR   "/run/systemd/network"
#define CCI_MANAGER_DIR    "/run/systemd/system.conf.d" /* for the new root's PID 1 */
#define CCI_PSTORE_DIR     "/sys/fs/pstore" /* mounted by systemd, before its generators run */
