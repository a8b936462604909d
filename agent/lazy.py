"""A module that is loaded when something of it is first used.

paho imports `urllib.request` for proxies, which a kiosk without PySocks can never have; with all
that it brings it is a tenth of the agent's memory. (The standard library's LazyLoader does not
serve: the import statement itself asks for an attribute, and loads.)
"""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType


def load_when_used(name: str) -> None:
    """Let an `import` of the module cost nothing until something of it is asked for."""
    if name in sys.modules:
        return
    module = ModuleType(name)

    def attribute(wanted: str) -> object:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        real = importlib.import_module(name)
        module.__dict__.update(vars(real))
        return getattr(real, wanted)

    module.__spec__ = find_spec(name)
    module.__dict__["__getattr__"] = attribute
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(importlib.import_module(parent), child, module)
