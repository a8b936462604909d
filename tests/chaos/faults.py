"""What each kind of fault does to the house and the fleet, and how it is undone."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Final

from firmware_sim.fleet import Fleet
from firmware_sim.kiosk import Kiosk
from firmware_sim.resident import Resident
from tests.chaos.house import House
from tests.chaos.proxy import Proxy
from tests.chaos.schedule import Fault

DISK_MIB: Final = 6
"""The disk of a kiosk whose disk can be full; the journal's reserve is 1 MiB of it."""
_BALLAST: Final = "ballast"
_FILE_BYTES_FULL: Final = 4096
SKEW_FILE: Final = "skew_ms"
_OF_PATHS: Final = frozenset({"cut", "stall", "throttle"})


class Disks:
    """Small disks for some kiosks, where we may mount; else their agents get a quota."""

    def __init__(self) -> None:
        self._mounted: list[Path] = []

    def mount(self, folder: Path) -> None:
        """Give a kiosk's folder a disk of its own, if we are allowed to."""
        folder.mkdir(parents=True)
        options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", str(folder)]
        if os.geteuid() == 0 and _ran("mount", *options):
            self._mounted.append(folder)

    def has(self, folder: Path) -> bool:
        """Say if the kiosk's folder is a disk of its own."""
        return folder in self._mounted

    def unmount(self) -> None:
        """Take all of them away."""
        for folder in self._mounted:
            _ran("umount", "-l", str(folder))
        self._mounted.clear()


class Faults:
    """Begins and ends faults; one thread calls it."""

    def __init__(self, house: House, fleet: Fleet, disks: Disks) -> None:
        self._house, self._fleet, self._disks = house, fleet, disks
        self.restored = 0
        self.starved: set[str] = set()
        """Kiosks whose disk was full: they may have had to drop what no customer paid for."""
        self.skewed: set[str] = set()
        """Terminals whose clock was wrong for a while."""

    def backup(self) -> None:
        """Take the backup that a later restore goes back to."""
        self._house.backup()

    def begin(self, fault: Fault) -> None:
        """Do it."""
        if fault.target.startswith(("kiosk:", "light:")):
            self._begin_at_terminal(fault)
        elif fault.kind in _OF_PATHS:
            self._begin_on_path(self._house.paths[fault.target], fault)
        elif fault.kind == "freeze":
            self._house.send(fault.target, signal.SIGSTOP)
        elif not fault.lasts_s:
            # Who is killed for no time is started again by the house itself.
            self._house.send(fault.target, signal.SIGKILL)
        else:
            gentle = fault.kind in {"database_stopped", "restore"}
            self._house.stop(fault.target, signal.SIGINT if gentle else signal.SIGKILL)
            if fault.kind == "wipe":
                self._house.forget_broker()
            elif fault.kind == "restore":
                self._house.restore()
                self.restored += 1

    def end(self, fault: Fault) -> None:
        """Undo it; returns when what was down works again."""
        if fault.target.startswith(("kiosk:", "light:")):
            self._end_at_terminal(fault)
        elif fault.kind in _OF_PATHS:
            self._house.paths[fault.target].mend()
        elif fault.kind == "freeze":
            self._house.thaw(fault.target)
        elif fault.lasts_s:
            self._house.want(fault.target)
            self._house.await_ready(fault.target)

    def _begin_at_terminal(self, fault: Fault) -> None:
        match fault.kind:
            case "clock":
                self._step(fault, fault.size)
            case "disk_full":
                self._fill(self._kiosk(fault), fault.lasts_s)
            case "kill":
                self._kiosk(fault).kill()
            case _:
                self._signal(fault, signal.SIGSTOP)

    def _end_at_terminal(self, fault: Fault) -> None:
        match fault.kind:
            case "clock":
                self._step(fault, -fault.size)
            case "disk_full":
                self._empty(self._kiosk(fault))
            case "freeze":
                self._signal(fault, signal.SIGCONT)
            case _:
                pass

    @staticmethod
    def _begin_on_path(path: Proxy, fault: Fault) -> None:
        match fault.kind:
            case "cut":
                path.cut()
            case "stall":
                path.stall()
            case _:
                path.throttle(fault.size)

    def terminal(self, fault: Fault) -> str | None:
        """Return the number of the kiosk that a fault kept from working, if it is about one."""
        if fault.kind == "clock" or not fault.target.startswith("kiosk:"):
            return None
        return self._kiosk(fault).terminal

    def _kiosk(self, fault: Fault) -> Kiosk:
        return self._fleet.kiosks[int(fault.target.partition(":")[2])]

    def _resident(self, fault: Fault) -> Resident:
        return self._fleet.residents[int(fault.target.partition(":")[2])]

    def _signal(self, fault: Fault, number: signal.Signals) -> None:
        kiosk = self._kiosk(fault)
        kiosk.disturb(fault.lasts_s)
        pid = kiosk.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _step(self, fault: Fault, step_ms: int) -> None:
        if fault.target.startswith("light:"):
            resident = self._resident(fault)
            resident.step_clock(step_ms)
            self.skewed.add(resident.number)
            return
        kiosk = self._kiosk(fault)
        file = kiosk.folder / SKEW_FILE
        held = int(file.read_text(encoding="ascii")) if file.exists() else 0
        file.write_text(str(held + step_ms), encoding="ascii")
        self.skewed.add(kiosk.terminal)

    def _fill(self, kiosk: Kiosk, lasts_s: float) -> None:
        """Leave no byte on the kiosk's disk; without one of its own, let no file grow any more."""
        kiosk.disturb(lasts_s)
        self.starved.add(kiosk.terminal)
        if self._disks.has(kiosk.folder):
            with contextlib.suppress(OSError), (kiosk.folder / _BALLAST).open("wb", 0) as file:
                while True:
                    file.write(bytes(4096))
        elif kiosk.pid is not None:
            resource.prlimit(
                kiosk.pid, resource.RLIMIT_FSIZE, (_FILE_BYTES_FULL, resource.RLIM_INFINITY)
            )

    def _empty(self, kiosk: Kiosk) -> None:
        kiosk.disturb(0.0)
        if self._disks.has(kiosk.folder):
            (kiosk.folder / _BALLAST).unlink(missing_ok=True)
        elif kiosk.pid is not None:
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(kiosk.pid, resource.RLIMIT_FSIZE, unlimited)


def _ran(program: str, *arguments: str) -> bool:
    found = shutil.which(program)
    return (
        found is not None
        and not subprocess.run([found, *arguments], capture_output=True, check=False).returncode
    )
