# SPDX-License-Identifier: MulanPSL-2.0
"""The bars of the initramfs, and what of a measurement each looks at. Pure: numbers in, rows out."""

# What a variant of ours is held against.
STOCK = {"lean-http": "stock-live", "lean-disk": "stock-disk"}
STOCK_IMAGE = "stock-live"      # does what the lean image does, the network with it

# (what, variant, what is looked at, limit, unit)
BARS = (
    ("CPU from PID 1 to switch-root", "lean-http", "cpu", 1.0, "s"),
    ("processes until switch-root", "lean-http", "processes", 40, ""),
    ("CPU from PID 1 to switch-root", "lean-disk", "cpu", 0.7, "s"),
    ("processes until switch-root", "lean-disk", "processes", 35, ""),
    ("image, unpacked", "lean-disk", "unpacked", 26.0, "MB"),
    ("image, zstd -19", "lean-disk", "zstd", 8.5, "MB"),
    ("generator", "lean-http", "generator", 5.0, "ms"),
    ("our services' own time", "lean-http", "own", 30.0, "ms"),
    ("our services' own time", "lean-disk", "own", 30.0, "ms"),
    ("forks of one service", "lean-http", "forks", 1, ""),
    ("forks of one service", "lean-disk", "forks", 1, ""),
    ("overlay put together", "lean-http", "overlay", 1.0, "ms"),
    ("overlay put together", "lean-disk", "overlay", 1.0, "ms"),
)
IMAGE = {"unpacked": 1e6, "zstd": 1e6}
PROFILE = {"generator": 1e-3, "own": 1e-3, "forks": 1, "overlay": 1e-3}


def value(variants, variant, key):
    """In the bar's unit; the worst of several boots. None: not measured."""
    measured = variants.get(variant)
    if measured is None:
        return None
    if key in IMAGE:
        return measured["image"][key] / IMAGE[key]
    if key in PROFILE:
        profile = measured.get("profile")
        return profile[key] / PROFILE[key] if profile else None
    return max(run[key] for run in measured["runs"])


def judge(variants):
    """Rows {"what", "variant", "value", "limit", "unit", "met", "of_stock"}; met None: not measured."""
    rows = []
    for what, variant, key, limit, unit in BARS:
        got = value(variants, variant, key)
        beside = STOCK_IMAGE if key in IMAGE else STOCK[variant]
        stock = value(variants, beside, key) if key not in PROFILE else None
        rows.append({
            "what": what, "variant": variant, "value": got, "limit": limit, "unit": unit,
            "met": None if got is None else got <= limit,
            "of_stock": got / stock if got is not None and stock else None,
        })
    return rows
