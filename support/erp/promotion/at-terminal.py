"""Runs a command at a terminal of its own, as `ssh -t` gives a person one, and types what a person would.

usage: at-terminal.py PROMPT KEYS COMMAND...
Types KEYS (a JSON text) when PROMPT has been shown. Prints what the terminal showed and ends as the command did.
"""
import json, os, pty, select, signal, sys, time

prompt, keys, command = sys.argv[1].encode(), json.loads(sys.argv[2]).encode(), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
shown, typed, until = b"", False, time.monotonic() + 120
while True:
    if not select.select([terminal], [], [], max(0, until - time.monotonic()))[0]:
        os.kill(pid, signal.SIGKILL)
        print("the command did not end within 120 s")
        break
    try:
        part = os.read(terminal, 65536)
    except OSError:  # The command has closed its side.
        break
    if not part:
        break
    shown += part
    if not typed and prompt in shown:
        typed = True
        os.write(terminal, keys)
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
