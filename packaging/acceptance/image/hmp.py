#!/usr/bin/python3
"""Gives the machine one command of QEMU's human monitor: hmp.py CONTROL COMMAND. Prints the answer."""
import json
import socket
import sys

control, command = sys.argv[1:]
channel = socket.socket(socket.AF_UNIX)
channel.settimeout(120)
channel.connect(control)
lines = channel.makefile("rw")


def answer_to(name, **arguments):
    """Sends a QMP command and returns its answer, passing over events."""
    lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
    lines.flush()
    for line in lines:
        message = json.loads(line)
        if "return" in message or "error" in message:
            return message


lines.readline()
answer_to("qmp_capabilities")
answer = answer_to("human-monitor-command", **{"command-line": command})
if answer is None or "error" in answer:
    sys.exit(f"{command}: {answer}")
print(answer["return"], end="")
