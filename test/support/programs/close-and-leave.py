"""A daemon as Python programs make them: forks, leaves the session, closes every descriptor, forks again."""
import os
import time

pids = os.environ['PIDS']
if os.fork() == 0:
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    with open(pids, 'a') as file:
        file.write('%d\n' % os.getpid())
    os.closerange(0, 256)
    time.sleep(600)
    os._exit(0)
time.sleep(600)
