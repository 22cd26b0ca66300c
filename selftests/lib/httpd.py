#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A web server for the tests: httpd.py PORT FOLDER

Gives the folder's files out, and answers PUT with the SHA-256 of what came.
Both families, one process a connection; it imports as little as it can, as
the machine may be emulated.
"""
import os
import signal
import socket
import sys


def respond(conn, status, body=b"", length=None):
    head = "HTTP/1.0 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (
        status, len(body) if length is None else length)
    conn.sendall(head.encode() + body)


def get(conn, path):
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return respond(conn, "404 Not Found")
    size, offset = os.fstat(fd).st_size, 0
    respond(conn, "200 OK", length=size)
    while offset < size:
        offset += os.sendfile(conn.fileno(), fd, offset, 1 << 20)
    return None


def put(conn, head, body):
    import hashlib

    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        if line.lower().startswith(b"expect:"):
            conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    digest, left = hashlib.sha256(body), length - len(body)
    while left > 0:
        data = conn.recv(65536)
        if not data:
            return
        digest.update(data)
        left -= len(data)
    respond(conn, "200 OK", digest.hexdigest().encode())


def serve(conn, folder):
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(65536)
        if not more:
            return
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    words = head.split()
    name = os.path.basename(words[1].decode())
    if words[0] == b"GET":
        get(conn, os.path.join(folder, name))
    else:
        put(conn, head, body)
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)                # until the client has closed


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    s = socket.socket(socket.AF_INET6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", int(sys.argv[1])))
    s.listen(256)
    while True:
        conn = s.accept()[0]
        if not os.fork():
            s.close()
            serve(conn, sys.argv[2])
            os._exit(0)
        conn.close()


if __name__ == "__main__":
    main()
