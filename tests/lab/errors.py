# SPDX-License-Identifier: MulanPSL-2.0
"""What can go wrong in a lab."""


class LabError(Exception):
    """Something did not come up, or did not happen in time; the text says what and shows why."""


class NotPermitted(LabError):
    """This machine does not let us make namespaces: a test skips."""
