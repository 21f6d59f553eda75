"""Holds memory of one kind until it is killed or its parent is gone.

    hold-memory.py anonymous <bytes>
    hold-memory.py shared <bytes>
    hold-memory.py file <bytes> <path>      (a sparse file that is mapped and read, page by page)

Prints `held` once every page is resident.
"""
import mmap
import os
import sys
import time

kind, size = sys.argv[1], int(sys.argv[2])
if kind == "anonymous":
    held = bytearray(b"x") * size
elif kind == "shared":
    held = mmap.mmap(-1, size, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for page in range(0, size, mmap.PAGESIZE):
        held[page] = 1
else:
    with open(sys.argv[3], "wb") as file:
        os.ftruncate(file.fileno(), size)
    with open(sys.argv[3], "rb") as file:
        held = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
    touched = 0
    for page in range(0, size, mmap.PAGESIZE):
        touched += held[page]
print("held", flush=True)
# An orphan must not stay.
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(0.2)
