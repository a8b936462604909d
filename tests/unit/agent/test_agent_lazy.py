"""What the agent loads, and what it does not."""

import subprocess
import sys

LOADED = """
import sys
from agent.lazy import load_when_used
load_when_used("urllib.request")
import agent.app
"""


def said(question: str) -> str:
    """Return what a fresh interpreter prints once the agent is loaded."""
    command = [sys.executable, "-c", f"{LOADED}\n{question}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_agent_does_not_carry_an_http_client() -> None:
    """Paho's import of urllib.request brings neither HTTP nor MIME into memory."""
    assert said("print(sorted({'http.client', 'email'} & set(sys.modules)))") == "[]"


def test_a_lazy_module_is_there_when_it_is_used() -> None:
    """The first attribute that is asked for loads the module whole."""
    assert said("import urllib.request; print(callable(urllib.request.getproxies))") == "True"
