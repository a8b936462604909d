"""A service in a node, by the contract alone: what terminals and broker are tried against."""

from collector.mqtt import Message
from collector.settings import MqttSettings
from tests.property.agent.agent_service_model import ServiceModel
from tests.simulation.broker import Broker
from tests.simulation.lines import ServiceLine
from tests.simulation.loop import Node, World
from wire.codec import PayloadRefused, encode, read
from wire.topics import Channel, every_terminal, read_topic, topic


class ModelService:
    """Stores every journal it is sent, and answers pulses; never falls."""

    def __init__(self, world: World, broker: Broker, name: str = "service") -> None:
        self.journals: dict[str, ServiceModel] = {}
        self.pulses = 0
        self.foreign = 0
        """Messages of terminals that nothing here is prepared for."""
        self.presence: list[tuple[str, bytes, bool]] = []
        self.node = Node(world, name)
        self.line: ServiceLine = broker.for_service(self.node)(MqttSettings(), self._received)
        shared = [every_terminal(Channel.JOURNAL), every_terminal(Channel.PULSE)]
        plain = [every_terminal(Channel.PRESENCE)]
        self.ready = 0
        self.node.start(self.line.run(shared, plain, self._ready, share=True))

    def _ready(self) -> None:
        self.ready += 1

    def _received(self, message: Message) -> None:
        found = read_topic(message.topic)
        assert found is not None
        terminal, channel = found
        if terminal.startswith("H-"):
            self.foreign += 1
            return
        model = self.journals.setdefault(terminal, ServiceModel())
        if channel is Channel.PRESENCE:
            self.presence.append((terminal, message.payload, message.retain))
            return
        value = read(message.payload)
        if isinstance(value, PayloadRefused):
            return
        if channel is Channel.PULSE:
            self.pulses += 1
            ack = model.ack(value["epoch"])
            if value["unacked"] > 0 or value["next"] != ack["next"]:
                self.line.publish(topic(terminal, Channel.ACK), encode(ack))
            return
        self.line.publish(topic(terminal, Channel.ACK), encode(model.take(message.payload)))
