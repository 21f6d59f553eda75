"""Characters of the fault campaign that count what they print, alone or beside a socket.

actor.py count <interval s>         a line a time: "<marker> <number>"
actor.py http|tcp <interval s>      likewise, and answers at PORT

How far a start has come stands in a file of its own ("<ROLL>.<marker's random part>"), written after each line: so the
log must hold every line up to that number, and at most one more.
"""
import os
import socket
import sys
import threading
import time

role, interval = sys.argv[1], float(sys.argv[2])
tree, roll = os.environ["COPPICE_TREE"], os.environ["ROLL"]
with open(roll, "a") as file:
    file.write(f"{tree} {os.getpid()} began\n")
shadow = os.open(f"{roll}.{tree.split('/')[-1]}", os.O_WRONLY | os.O_CREAT, 0o600)


def serve(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                connection.settimeout(2)
                if role == "http" and connection.recv(4096):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
            except OSError:
                pass


if role != "count":
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ["PORT"])))
    listener.listen(64)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()

number = 0
while True:
    number += 1
    os.write(1, f"{tree} {number}\n".encode())
    os.pwrite(shadow, f"{number:12d}".encode(), 0)
    time.sleep(interval)
