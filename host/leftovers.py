"""What a host that was killed leaves behind: its containers, and the folders that they wrote to."""

from host.engine_choice import answering
from host.engines.interface import Engine
from host.engines.owner import owner_alive
from host.home import Home


def clear_dead(home: Home, engine: Engine) -> None:
    """Remove the containers of dead hosts, then the folders they wrote to. Hold ``Home.running``."""
    engine.reap(owner_alive)
    if any(home.runs.iterdir()):
        # A command died here, and the engine it used need not be this one's.
        for other in answering(besides=engine.name):
            other.reap(owner_alive)
            other.close()
    home.clear_runs()
