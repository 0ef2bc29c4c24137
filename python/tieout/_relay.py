"""The process of a subject whose kernel runs in another Python process, the one that calls `tieout.verify()`.

    python _relay.py SOCKET

It passes its standard input and output through the Unix socket to that process, which reads the problems and writes the
outputs itself. Then it waits: until the other process closes the socket, or sends a text, which is the reason why there
is no output. It imports nothing but standard modules, so that it starts quickly.
"""

import socket
import sys


def main() -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(sys.argv[1])
        socket.send_fds(connection, [b"!"], [0, 1])
        reason = b""
        while part := connection.recv(4096):
            reason += part
    sys.stderr.write(reason.decode(errors="replace"))
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
