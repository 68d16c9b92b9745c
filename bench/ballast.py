"""Keeps the page cache full, as on any machine that has run for a day. Used by `run`.

In a virtual machine whose free memory goes back to the host, the first write to a page that was free costs ten times the rest of
the write (measured: 2 s of CPU per GB instead of 0.3), and whoever fills new pages is charged for it. With the cache full, new
pages come from old ones.
"""

import os
import shutil

CHUNK_BYTES = 8 << 20
# Room for the contestants' own memory, and for the kernel to work in.
SPARE_BYTES = 4 << 30
FREE_BYTES_MAX = 2 << 30
DISK_SPARE_BYTES = 25 << 30


def enter(data, stack):
    """Fills the cache with a file and returns what fills it again; the file goes at the end of `stack`."""
    path = data / "ballast"
    size = min(meminfo("MemAvailable") - SPARE_BYTES, shutil.disk_usage(data).free - DISK_SPARE_BYTES)
    if size <= 0:
        return lambda: None
    noise = os.urandom(CHUNK_BYTES)
    stack.callback(path.unlink)
    with open(path, "wb", buffering=0) as file:
        for _ in range(size // CHUNK_BYTES):
            file.write(noise)
        os.fsync(file.fileno())
    return lambda: refill(path)


def refill(path):
    """Reads the file again, whose pages have made room for others, unless the cache is still full."""
    buffer = bytearray(CHUNK_BYTES)
    with open(path, "rb", buffering=0) as file:
        while meminfo("MemFree") > FREE_BYTES_MAX and file.readinto(buffer):
            pass


def meminfo(name):
    with open("/proc/meminfo") as lines:
        line = next(line for line in lines if line.startswith(name + ":"))
    return int(line.split()[1]) * 1024
