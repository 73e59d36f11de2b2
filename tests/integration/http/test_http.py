#!/usr/bin/env python3
# SPDX-License-Identifier: MulanPSL-2.0
"""HTTP with real clients (curl, wget, busybox wget) and with those that misbehave."""
import sys
sys.exit(77)
