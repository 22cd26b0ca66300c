#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The packets of an HTTP/3 connection as a router on the way sees them.

quic.py server ADDRESS PORT
quic.py client ADDRESS PORT IDLE PATIENCE

Sizes, headers and order are those of QUIC (RFC 9000 sections 14.1 and 17); what
would be encrypted is random. After a request and its answer nothing is sent for
IDLE seconds. Then the server speaks first, as it does when it pushes, and the
client after it. The client prints "kept" if it heard that and the server still
sees it at the port that it saw first, "lost" if nothing came for PATIENCE
seconds, "moved" if the server saw another port.
"""
import os
import select
import socket
import struct
import sys
import time

INITIAL, SHORT = 0xc3, 0x43
HELLO, REQUEST, ANSWER, PUSH, ACK = range(5)


def long_header(client, kind, note=0):
    """An Initial packet, padded to the least that RFC 9000 permits."""
    head = struct.pack("!BI", INITIAL, 1) + b"\x08" + client + b"\x00\x00"
    return (head + struct.pack("!BH", kind, note)).ljust(1200, os.urandom(1))


def short_header(client, kind, note=0, size=64):
    head = struct.pack("!B", SHORT) + client + struct.pack("!BH", kind, note)
    return head + os.urandom(size - len(head))


def parse(data):
    """(client's connection id, kind, note)"""
    at = 6 if data[0] == INITIAL else 1
    skip = 2 if data[0] == INITIAL else 0
    return data[at:at + 8], *struct.unpack("!BH", data[at + 8 + skip:at + 11 + skip])


def serve(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, int(port)))
    pushes = {}                         # time: (client, where it is)
    while True:
        wait = max(0, min(pushes) - time.monotonic()) if pushes else None
        if not select.select([sock], [], [], wait)[0]:
            client, where = pushes.pop(min(pushes))
            sock.sendto(short_header(client, PUSH, where[1]), where)
            continue
        data, where = sock.recvfrom(2048)
        client, kind, note = parse(data)
        if kind == HELLO:
            sock.sendto(long_header(client, HELLO, where[1]), where)
        elif kind == REQUEST:
            for _ in range(10):
                sock.sendto(short_header(client, ANSWER, where[1], 1350), where)
            pushes[time.monotonic() + note] = client, where
        elif kind == ACK:
            sock.sendto(short_header(client, ACK, where[1]), where)


def ask(sock, packet, wanted, patience):
    """Send, wait for an answer of that kind; returns the port that it tells."""
    if packet:
        sock.send(packet)
    deadline = time.monotonic() + patience
    while True:
        left = deadline - time.monotonic()
        if left < 0 or not select.select([sock], [], [], left)[0]:
            return None
        kind, note = parse(sock.recv(2048))[1:]
        if kind == wanted:
            return note


def client(address, port, idle, patience):
    idle, patience, me = int(idle), int(patience), os.urandom(8)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, int(port)))
    first = ask(sock, long_header(me, HELLO), HELLO, patience)
    if not first or not ask(sock, short_header(me, REQUEST, idle), ANSWER, patience):
        return "no connection"
    if ask(sock, None, PUSH, idle + patience) is None:
        return "lost"
    return "kept" if ask(sock, short_header(me, ACK), ACK, patience) == first else "moved"


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(*sys.argv[2:])
    print(client(*sys.argv[2:]))
