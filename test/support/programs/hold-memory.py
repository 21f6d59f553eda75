"""Holds memory of one kind until it is killed or its parent is gone.

    hold-memory.py anonymous <bytes>
    hold-memory.py shared <bytes>
    hold-memory.py file <bytes> <path>      (a sparse file that is mapped and read, page by page)
    hold-memory.py zombie 0                 (a child that ended and is not waited for)

Prints `held` once every page is resident, or the pid of the zombie.
"""
import mmap
import os
import sys
import time

kind, size = sys.argv[1], int(sys.argv[2])
said = "held"
if kind == "anonymous":
    held = bytearray(b"x") * size
elif kind == "shared":
    held = mmap.mmap(-1, size, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    for page in range(0, size, mmap.PAGESIZE):
        held[page] = 1
elif kind == "zombie":
    child = os.fork()
    if child == 0:
        os._exit(0)
    # Returns when it has ended, and leaves it unreaped.
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    said = str(child)
else:
    with open(sys.argv[3], "wb") as file:
        os.ftruncate(file.fileno(), size)
    with open(sys.argv[3], "rb") as file:
        held = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
    touched = 0
    for page in range(0, size, mmap.PAGESIZE):
        touched += held[page]
sys.stdout.write(said + "\n")
sys.stdout.flush()
# An orphan must not stay.
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(0.2)
