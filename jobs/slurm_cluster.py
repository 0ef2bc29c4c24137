"""Runs a private Slurm on this machine for a test: Debian's daemons with two nodes, whose files are all in one folder.

Works as root and as an ordinary user. A node is a slurmd that adopts orphaned processes of its jobs
(PR_SET_CHILD_SUBREAPER), so that all its processes are its descendants and can be killed at once, as in a power
failure.
"""

import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
SEARCH = os.environ.get("PATH", "") + ":/usr/sbin"  # the daemons' folder, which is not in the PATH of ordinary users
NODES = ("node1", "node2")

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
libc = ctypes.CDLL(None)

# SlurmdTimeout: seconds until a node that does not respond counts as down. cred_expire: seconds that a task that is
# queued again must wait. localhost: the only name that slurmctld accepts as its own on every machine.
CONFIGURATION = """
ClusterName=tieout
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/linear
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1
SlurmdParameters=config_overrides
SlurmdTimeout=5
MessageTimeout=5
ReturnToService=2
NodeName=node1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1
NodeName=node2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1
PartitionName=all Nodes=ALL Default=YES State=UP
"""


def missing():
    return [program for program in PROGRAMS if not shutil.which(program, path=SEARCH)]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def children():
    """Returns the child processes of every running process, by its process id."""
    below = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    state, parent = file.read().rpartition(")")[2].split()[:2]
            except OSError:
                continue  # the process has ended
            if state != "Z":
                below.setdefault(int(parent), []).append(int(name))
    return below


def kill_below(pid):
    """Kills all descendants of a process, repeatedly until none is left."""
    while True:
        below, found, open_ones = children(), [], [pid]
        while open_ones:
            more = below.get(open_ones.pop(), [])
            found += more
            open_ones += more
        if not found:
            return
        for one in found:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


class Cluster:
    """Runs the daemons within `with Cluster(folder) as cluster`. The folder must be empty; the caller removes it."""

    def __init__(self, folder):
        self.folder = folder
        self.daemons = {}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
        self.environment.update(SLURM_CONF=f"{folder}/slurm.conf", PATH=SEARCH)

    def __enter__(self):
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # adopts the processes of failed nodes
        os.mkdir(f"{self.folder}/state")
        with open(f"{self.folder}/munge.key", "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as key:
            key.write(os.urandom(128))
        with open(f"{self.folder}/slurm.conf", "w", encoding="utf-8") as file:
            user = pwd.getpwuid(os.geteuid()).pw_name
            file.write(CONFIGURATION.format(folder=self.folder, user=user, ports=free_ports(3)))
        self.start("munged", "--foreground", "--force", "--num-threads=2", f"--key-file={self.folder}/munge.key",
                   f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munge.pid",
                   f"--seed-file={self.folder}/munge.seed")
        self.wait_until(lambda: os.path.exists(f"{self.folder}/munge.socket"), "munged listens")
        self.start("slurmctld", "-D")
        for node in NODES:
            self.start("slurmd", "-D", "-N", node, name=node)
        self.wait_until(lambda: self.ask("sinfo -h -o %T").splitlines() == ["idle"], "both nodes are idle")
        return self

    def __exit__(self, *_):
        kill_below(os.getpid())
        try:
            while True:
                os.wait()
        except ChildProcessError:
            pass  # no child is left

    def start(self, program, *arguments, name=None):
        def prepare():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

        name = name or program
        with open(f"{self.folder}/{name}.out", "wb") as out:
            self.daemons[name] = subprocess.Popen(
                [shutil.which(program, path=SEARCH), *arguments], env=self.environment, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, preexec_fn=prepare)

    def ask(self, command):
        """Runs a client command and returns its output; "" if the controller does not answer yet."""
        done = subprocess.run(command.split(), env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    def job(self, name):
        """Returns the fields of a job, or of a task such as 1_2."""
        return dict(re.findall(r"(\w+)=(\S*)", self.ask(f"scontrol show job {name}")))

    def wait_until(self, happened, what, seconds=120):
        end = time.monotonic() + seconds
        while not happened():
            for name, daemon in self.daemons.items():
                if daemon.poll() is not None:
                    raise RuntimeError(f"{name} has ended by itself, before {what}")
            if time.monotonic() > end:
                raise TimeoutError(f"waited {seconds} s until {what}")
            time.sleep(0.05)

    def fail_node(self, name):
        """Kills a node. Its slurmd is stopped first, so that it can neither report ended jobs nor start others."""
        slurmd = self.daemons.pop(name)
        slurmd.send_signal(signal.SIGSTOP)
        kill_below(slurmd.pid)
        slurmd.kill()
        slurmd.wait()

    def logs(self):
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".out"):
                with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as file:
                    text += f"---- {name}\n{''.join(file.readlines()[-25:])}"
        return text
