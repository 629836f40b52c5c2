"""What a host that was killed leaves behind: its containers, and the folders that they wrote to."""

from host.engines.interface import Engine
from host.engines.owner import owner_alive
from host.home import Home


def clear_dead(home: Home, engine: Engine) -> None:
    """Remove the containers of dead hosts, then the folders they wrote to. Hold ``Home.running``."""
    engine.reap(owner_alive)
    home.clear_runs()
