"""Finds the program `tieout`, runs it, and answers its questions to a kernel in this process."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Union

from ._kernel import Arrays, Kernel, answer, declared_types, greeting, kernel_name, read_problem, wanted_arrays

if TYPE_CHECKING:
    from ._report import Report

# A Python callable, or the text or path of a subject as `tieout fuzz --subject` takes it.
Subject = Union[Kernel, str, "os.PathLike[str]"]

_LONGEST_SOCKET_PATH = 100  # bytes; Linux allows 107
_SECONDS_TO_END = 10.0


class ProgramError(RuntimeError):
    """The program is missing, refused its input, or could not verify. `status`: its exit status, or None."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class KernelError(RuntimeError):
    """The kernel raised an exception, which is `__cause__`. `report`: that of the run, with the smallest case."""

    def __init__(self, message: str, report: Report | None = None) -> None:
        super().__init__(message)
        self.report = report


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run of the program gave. `report`: its JSON, or None. `raised`: the kernel's first exception, or None."""

    status: int
    output: str
    messages: str
    report: Mapping[str, Any] | None
    raised: Exception | None


def program() -> str:
    """Returns the path of the program: $TIEOUT_PROGRAM, or that of this installation, or that on the PATH.

    Raises ProgramError if there is none.
    """
    if given := os.environ.get("TIEOUT_PROGRAM"):
        return given
    candidates = [pathlib.Path(sysconfig.get_path("scripts"), "tieout")]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        files = importlib.metadata.files("tieout") or []
        candidates += [pathlib.Path(str(file.locate())) for file in files if file.parts[-2:] == ("bin", "tieout")]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return str(candidate)
    if found := shutil.which("tieout"):
        return found
    raise ProgramError("the program tieout is not found: `pip install tieout`, or set TIEOUT_PROGRAM to its path")


def run(arguments: list[str], subject: Subject | None = None, arrays: Arrays | None = None) -> Outcome:
    """Runs `tieout ARGUMENTS` with the subject, with a report as JSON if the command writes one.

    Raises ProgramError if the program cannot be started or refuses its input, and what the kernel raises beside
    exceptions of the class Exception, such as KeyboardInterrupt. Then the program has ended.
    """
    if subject is not None and not callable(subject):
        arguments = [*arguments, "--subject", os.fspath(subject)]
    kernel = subject if callable(subject) else None
    with _short_folder() as folder:
        report = pathlib.Path(folder, "report.json")
        if arguments[0] != "explain":
            arguments = [*arguments, "--json", str(report)]
        server = None if kernel is None else _KernelServer(kernel, wanted_arrays(kernel, arrays), folder)
        if server is not None:
            arguments = [*arguments, "--subject", server.subject()]
        with contextlib.ExitStack() as stack:
            if server is not None:
                stack.callback(server.close)
            output = stack.enter_context(open(pathlib.Path(folder, "output"), "w+b"))
            messages = stack.enter_context(open(pathlib.Path(folder, "messages"), "w+b"))
            status = _run_to_end([program(), *arguments], output, messages, server)
            texts = [(stream.seek(0), stream.read().decode(errors="replace"))[1] for stream in (output, messages)]
        if status not in (0, 1, 3) or (status == 3 and not report.exists() and arguments[0] != "diagnose"):
            raise ProgramError(texts[1].strip() or f"{program()} ended with status {status}", status)
        read = json.loads(report.read_text(errors="replace")) if report.exists() else None
        if server is not None:
            texts = [server.with_calls(text) for text in texts]
        return Outcome(status, texts[0], texts[1], read, None if server is None else server.raised)


@contextlib.contextmanager
def _short_folder() -> Iterator[str]:
    """Gives a folder that only this user can enter. Its name fits into the address of a socket."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tieout-"))
        if len(os.fsencode(folder)) > _LONGEST_SOCKET_PATH - len("/kernel"):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tieout-", dir="/tmp"))
        yield folder


def _environment() -> dict[str, str]:
    """Returns the environment of the program, in which TIEOUT_TORCH names the LibTorch of this Python's torch."""
    environment = dict(os.environ)
    if "TIEOUT_TORCH" not in environment:
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec("torch")  # finds torch without importing it
            for folder in (spec.submodule_search_locations or []) if spec is not None else []:
                if os.path.exists(os.path.join(folder, "lib/libtorch_cpu.so")):
                    environment.setdefault("TIEOUT_TORCH", folder)
    return environment


def _run_to_end(command: list[str], output: IO[bytes], messages: IO[bytes], server: _KernelServer | None) -> int:
    """Runs the command, answers what it asks the kernel, and returns its exit status."""
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=messages, env=_environment()
        )
    except OSError as error:
        raise ProgramError(f"{command[0]} cannot be started: {error.strerror}") from None
    try:
        if server is not None:
            server.serve_until_end_of(process)
        return process.wait()
    except BaseException:
        # A notebook interrupts this process only; a terminal interrupts the program, too.
        process.send_signal(signal.SIGINT)
        if server is not None:
            server.close()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


class _Connection:
    """The streams of one subject process, and the socket on which that process waits."""

    def __init__(self, waiting: socket.socket) -> None:
        self.waiting = waiting
        _, descriptors, _, _ = socket.recv_fds(waiting, 1, 2)
        if len(descriptors) != 2:
            raise OSError("a subject process did not pass its streams")
        self.problems: IO[bytes] = open(descriptors[0], "rb")
        self.answers: IO[bytes] = open(descriptors[1], "wb")
        self.greeted = False

    def close(self, reason: str = "") -> None:
        """Ends the subject process, which prints the reason as its last line."""
        with contextlib.suppress(OSError):
            self.waiting.sendall(reason.encode(errors="replace"))
        for close in (self.answers.close, self.problems.close, self.waiting.close):
            with contextlib.suppress(OSError):
                close()


class _KernelServer:
    """Answers the problems of subject processes by a kernel, in the thread that calls serve_until_end_of()."""

    def __init__(self, kernel: Kernel, arrays: Arrays, folder: str) -> None:
        self._kernel = kernel
        self._arrays = arrays
        self._path = os.path.join(folder, "kernel")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._path)
        self._listener.listen()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.raised: Exception | None = None

    def subject(self) -> str:
        """Returns the argument of --subject."""
        relay = pathlib.Path(__file__).with_name("_relay.py")
        # -I and -S: no other modules and folders of the user are needed, and the process starts quickly.
        return "command:" + shlex.join([sys.executable, "-I", "-S", str(relay), self._path])

    def with_calls(self, text: str) -> str:
        """Returns the text with calls of this module instead of commands that name the socket, which will be gone."""
        # Quoted as the program quotes it, which differs from shlex.quote() where the path of the relay has a space and
        # the subject therefore quotes of its own.
        subject = re.escape("'" + self.subject().replace("'", "'\\''") + "'")
        quoted = r"'(?:[^']|'\\'')*'"
        text = re.sub(
            rf"tieout (\w+) --subject {subject} ({quoted})", rf"tieout.\1(\2, {kernel_name(self._kernel)})", text
        )
        return re.sub(rf"tieout (\w+) --subject {subject}", rf"tieout.\1({kernel_name(self._kernel)})", text)

    def serve_until_end_of(self, process: subprocess.Popen[bytes]) -> None:
        ended, ends = socket.socketpair()
        with ended, ends:
            self._selector.register(ended, selectors.EVENT_READ)
            # A thread waits for the end, which wakes the selector.
            waiter = threading.Thread(target=_wake_at_end, args=(process, ends), daemon=True)
            waiter.start()
            while True:
                ready = [key for key, _ in self._selector.select()]
                for key in ready:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj is not ended:
                        self._answer(key.data)
                if len(ready) == 1 and ready[0].fileobj is ended:
                    waiter.join()
                    self._selector.unregister(ended)
                    return

    def close(self) -> None:
        for key in list(self._selector.get_map().values() if self._selector.get_map() else []):
            if isinstance(key.data, _Connection):
                key.data.close()
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        waiting, _ = self._listener.accept()
        try:
            connection = _Connection(waiting)
        except OSError:  # the process was ended before it passed its streams
            waiting.close()
            return
        self._selector.register(connection.problems, selectors.EVENT_READ, connection)

    def _end(self, connection: _Connection, reason: str = "") -> None:
        self._selector.unregister(connection.problems)
        connection.close(reason)

    def _answer(self, connection: _Connection) -> None:
        """Reads one message and answers it. The program sends no other one before it has the answer."""
        try:
            if not connection.greeted:
                message = greeting(self._kernel) if connection.problems.readline() else None
                connection.greeted = True
            else:
                problem = read_problem(connection.problems, declared_types(self._kernel))
                message = None if problem is None else answer(self._kernel, self._arrays, problem)
        except EOFError:
            self._end(connection)
            return
        except Exception as error:
            if self.raised is None:
                self.raised = error
            self._end(connection, f"{kernel_name(self._kernel)} raised {describe(error)}")
            return
        try:
            if message is not None:
                connection.answers.write(message)
                connection.answers.flush()
                return
        except OSError:  # the program has ended the process, for example because the answer took too long
            pass
        self._end(connection)


def _wake_at_end(process: subprocess.Popen[bytes], wakes: socket.socket) -> None:
    process.wait()
    with contextlib.suppress(OSError):  # the kernel was interrupted, and the socket is closed
        wakes.send(b"!")


def describe(error: BaseException) -> str:
    """Returns class and message of an exception in one line."""
    text = " ".join(str(error).split())
    return type(error).__name__ + (f": {text}" if text else "")
