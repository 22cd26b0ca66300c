#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One of two ICE agents: ice.py ROLE OTHER FOLDER STUN_ADDRESS STUN_PORT

They tell each other their candidates through files in the folder, which is
what a signalling server is for. "call" is the controlling one. Once connected
each sends a datagram, and prints the pair of candidates that carried it:
local type, local address, remote type, remote address.
"""
import asyncio
import json
import os
import sys
import time

import aioice


async def exchange(folder, role, other, mine):
    """Give what is mine to the other agent, and take what is its."""
    path = os.path.join(folder, role)
    with open(path + ".part", "w") as f:
        json.dump(mine, f)
    os.rename(path + ".part", path)
    deadline = time.monotonic() + 120
    while not os.path.exists(os.path.join(folder, other)):
        if time.monotonic() > deadline:
            raise SystemExit("the other agent says nothing")
        await asyncio.sleep(0.05)
    with open(os.path.join(folder, other)) as f:
        return json.load(f)


async def main(role, other, folder, stun, port):
    agent = aioice.Connection(ice_controlling=role == "call",
                              stun_server=(stun, int(port)), use_ipv6=False)
    await agent.gather_candidates()
    theirs = await exchange(folder, role, other, {
        "user": agent.local_username, "password": agent.local_password,
        "candidates": [c.to_sdp() for c in agent.local_candidates]})
    for line in theirs["candidates"]:
        await agent.add_remote_candidate(aioice.Candidate.from_sdp(line))
    await agent.add_remote_candidate(None)
    agent.remote_username = theirs["user"]
    agent.remote_password = theirs["password"]
    await agent.connect()
    await agent.send(b"hello, this is " + role.encode())
    said = await asyncio.wait_for(agent.recv(), 60)
    if said != b"hello, this is " + other.encode():
        raise SystemExit("heard %r" % said)
    pair = agent._nominated[1]      # no public name has it
    for end in pair.local_candidate, pair.remote_candidate:
        print(end.type, end.host, end="\n" if end is pair.remote_candidate else " ")
    sys.stdout.flush()
    # Whoever leaves first must not take the answer to the other's check along.
    await exchange(folder, role + "-done", other + "-done", {})
    await agent.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
