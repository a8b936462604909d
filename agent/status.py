"""What `kvitok-agent status` is told."""

from agent import VERSION
from agent.kiosk import Kiosk
from agent.pulse import Position
from agent.requests import Ref
from agent.settings import AgentSettings
from wire.codec import plain


def status(  # noqa: PLR0913 - one fact each
    ref: Ref,
    settings: AgentSettings,
    position: Position,
    kiosk: Kiosk,
    *,
    connection: str,
    journal_bytes: int,
    programs: int,
) -> dict[str, object]:
    """Return the answer to a status request."""
    message: dict[str, object] = {
        "ok": True,
        "told": "status",
        "agent": VERSION,
        "terminal": settings.terminal,
        "epoch": position.epoch,
        "next": position.next,
        "acked": position.next - position.unacked,
        "unacked": position.unacked,
        "journal_bytes": journal_bytes,
        "connection": connection,
        "broker": f"{settings.mqtt.host}:{settings.mqtt.port_used}",
        "programs": programs,
        "suspended": kiosk.suspended,
        "devices": [plain(state) for state in kiosk.devices.values()],
        "identified": dict(kiosk.identified),
    }
    return message if ref is None else {**message, "ref": ref}
