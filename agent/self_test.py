"""`kvitok-agent self-test`: tries all that the agent needs, one line each, with what to do."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from agent.devices.line import DeviceLoop
from agent.devices.machine import Output, StateChanged
from agent.devices.serial_port import LineLost, SerialPort
from agent.devices.settings import NAMES, DeviceSettings, attach
from agent.mqtt import LineDown, LineUp, MqttDoor, Tidings
from agent.run_file import write_durably
from agent.settings import AgentSettings

DEVICE_S_MAX: Final = 8.0
"""How long a device may take to be known; the slowest say that they are starting for 5 s."""
BROKER_S_MAX: Final = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """A thing tried: good, or what to do about it."""

    what: str
    good: bool
    text: str


def self_test(settings: AgentSettings, *, agent_runs: bool) -> Iterator[Finding]:
    """Yield a finding for everything that the settings name, as each is tried.

    Where the agent runs, its ports, its broker session and its devices are its own: they are
    left alone, and `status` tells about them.
    """
    yield _folder(settings.journal.path)
    yield _program(settings, agent_runs=agent_runs)
    if agent_runs:
        yield Finding("devices, broker", good=True, text="in use by the running agent: see status")
        return
    yield _broker(settings)
    for device in settings.devices:
        port = _port(device)
        yield port
        if port.good:
            yield _device(device)


def _folder(journal: Path) -> Finding:
    """Write what the agent would write, beside the journal and not into it."""
    probe = journal.with_name(journal.name + ".probe")
    try:
        journal.parent.mkdir(parents=True, exist_ok=True)
        written = write_durably(probe, {"probe": True})
        probe.unlink(missing_ok=True)
    except OSError as error:
        text = f"{journal.parent}: {error.strerror}; give the agent's user this folder"
        return Finding("journal", good=False, text=text)
    if not written:
        text = f"{journal.parent} takes no file; free disk, or give the agent's user this folder"
        return Finding("journal", good=False, text=text)
    return Finding("journal", good=True, text=f"{journal.parent} can be written")


def _program(settings: AgentSettings, *, agent_runs: bool) -> Finding:
    where = settings.program.socket or f"{settings.program.host}:{settings.program.port}"
    if agent_runs:
        return Finding("payment program's door", good=True, text=f"{where} answers")
    if settings.program.port:
        try:
            socket.create_server((settings.program.host, settings.program.port)).close()
        except OSError as error:
            text = f"{where}: {error.strerror}; another program has it: choose another port"
            return Finding("payment program's door", good=False, text=text)
    elif settings.program.socket:
        folder = settings.program.socket.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            text = f"{folder}: {error.strerror}; make this folder for the agent's user"
            return Finding("payment program's door", good=False, text=text)
        if not os.access(folder, os.W_OK | os.X_OK):
            text = f"{folder} cannot be written; give the agent's user this folder"
            return Finding("payment program's door", good=False, text=text)
    return Finding("payment program's door", good=True, text=f"{where} is free")


def _broker(settings: AgentSettings) -> Finding:
    """Connect as the agent would, so that name, password and certificate are tried too."""
    heard: list[Tidings] = []
    spoke = threading.Event()

    def tell(tidings: Tidings) -> None:
        heard.append(tidings)
        spoke.set()

    door = MqttDoor(
        settings.mqtt,
        settings.terminal,
        boot=uuid.uuid4().hex,
        tell=tell,
        random=Random(0),  # noqa: S311 - no secret
    )
    where = f"{settings.mqtt.host}:{settings.mqtt.port_used}"
    door.start()
    spoke.wait(BROKER_S_MAX)
    door.stop()
    match heard[:1]:
        case [LineUp()]:
            return Finding("broker", good=True, text=f"{where} takes us as {settings.mqtt.user}")
        case [LineDown(why=why)]:
            text = f"{where}: {why}; check [mqtt] host, port, user, password, tls and the network"
        case _:
            text = f"{where}: no answer in {BROKER_S_MAX:.0f} s; check [mqtt] and the network"
    return Finding("broker", good=False, text=text)


def _port(device: DeviceSettings) -> Finding:
    try:
        SerialPort(device.port, device.baud).close()
    except LineLost as lost:
        text = f"{lost}; check the cable, the port's name, and the rights of the agent's user"
        return Finding(f"port of {NAMES[device.kind]}", good=False, text=text)
    return Finding(f"port of {NAMES[device.kind]}", good=True, text=f"{device.port} opens")


def _device(device: DeviceSettings) -> Finding:
    """Run the device's machine until it knows something; notes are not enabled."""
    name = NAMES[device.kind]
    known: list[StateChanged] = []

    def keep(_name: str, output: Output) -> None:
        if isinstance(output, StateChanged) and output.state.status not in {"unknown", "starting"}:
            known.append(output)

    loop = DeviceLoop(attach([device], memory="unknown"), keep)
    loop.start()
    until = time.monotonic() + DEVICE_S_MAX
    while not known and time.monotonic() < until:
        time.sleep(0.05)
    loop.stop()
    return _device_finding(name, known, device)


def _device_finding(name: str, known: list[StateChanged], device: DeviceSettings) -> Finding:
    if not known:
        text = f"no answer on {device.port}; check power, cable, baud {device.baud} and kind"
        return Finding(name, good=False, text=text)
    state = known[-1].state
    said = " ".join(
        each for each in (state.status, state.paper, state.storage, state.cause) if each
    )
    if state.status == "online":
        return Finding(name, good=True, text=said)
    return Finding(name, good=False, text=f"answers: {said}; see docs/devices.md")
