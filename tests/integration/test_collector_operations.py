"""The broker's configuration in docs/operations.md, as it stands there."""

import contextlib
import json
import queue
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.brokers import Broker, start_mosquitto
from tests.integration.collecting import ROOT, CollectorProcess, Journal, eventually, rows
from tests.integration.postgres import require

pytestmark = pytest.mark.service


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Return a Mosquitto that runs as the page says, without TLS."""
    program = shutil.which("mosquitto_passwd")
    require("mosquitto_passwd", missing=program is None)
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    config, acl = re.findall(r"^```\n((?:per_listener|pattern)[^`]*)```", page, re.MULTILINE)
    passwords = tmp_path / "passwords"
    passwords.touch(0o600)
    for user in ("kvitok", "10001", "10002"):
        subprocess.run([str(program), "-b", passwords, user, "secret"], check=True)
    (tmp_path / "acl").write_text(acl)
    (tmp_path / "acl").chmod(0o600)
    one = start_mosquitto()
    one.stop()
    config = re.sub(r"(certfile|keyfile|tls_version) .*\n", "", config)
    config = config.replace("listener 8883", f"listener {one.port} 127.0.0.1\nuser root")
    config = re.sub(r"password_file .*", f"password_file {passwords}", config)
    config = re.sub(r"acl_file .*", f"acl_file {tmp_path / 'acl'}", config)
    (one.folder / "broker.conf").write_text(config)
    one.start()
    yield one
    one.close()


def _client(broker: Broker, user: str, heard: queue.Queue[Any], *filters: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"t-{user}")
    client.username_pw_set(user, "secret")
    subscribed: queue.Queue[int] = queue.Queue()
    client.on_subscribe = lambda *_: subscribed.put(1)
    client.on_message = lambda _c, _u, message: heard.put((message.topic, message.payload))
    client.connect(broker.host, broker.port)
    client.loop_start()
    client.subscribe([(each, 0) for each in filters])
    subscribed.get(timeout=10)
    return client


def test_a_terminal_speaks_for_itself_only(database: str, broker: Broker, tmp_path: Path) -> None:
    """The page's rules let the collector work, and no terminal reach another's topics."""
    collector = CollectorProcess(database, broker, tmp_path, login="kvitok:secret")
    assert "$share/collectors" in collector.log.read_text()
    own: queue.Queue[Any] = queue.Queue()
    foreign: queue.Queue[Any] = queue.Queue()
    journal = Journal()
    journal.faults(2)
    batch = json.dumps(journal.batch(1, 2)).encode()
    good = _client(broker, "10001", own, "kvitok/v1/10001/ack")
    bad = _client(broker, "10002", foreign, "kvitok/v1/10001/#", "kvitok/v1/+/ack", "#")
    with contextlib.closing(collector):
        for channel in ("journal", "ack", "pulse", "presence", "command"):
            bad.publish(f"kvitok/v1/10001/{channel}", batch, 1).wait_for_publish(10)
        good.publish("kvitok/v1/10001/journal", batch, 1).wait_for_publish(10)
        topic, payload = own.get(timeout=10)
        assert (topic, json.loads(payload)) == ("kvitok/v1/10001/ack", journal.ack(3))
        bad.publish("kvitok/v1/10002/journal", batch, 1).wait_for_publish(10)
        topic, _ = foreign.get(timeout=10)
        assert topic == "kvitok/v1/10002/ack"
        assert foreign.empty()
        assert own.empty()
        for client in (good, bad):
            client.disconnect()
            client.loop_stop()
    query = "select terminal, count(*) from event group by 1 order by 1"
    assert eventually(lambda: rows(database, query)) == [("10001", 2), ("10002", 2)]
    assert rows(database, "select from refusal") == []
