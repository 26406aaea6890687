"""A simulated cloud on loopback that speaks the wire of the real one: for tests, demonstrations and rule authors."""

from auditor.simulator.server import Simulator, Statistics, serve
from auditor.simulator.world import World

__all__ = ["Simulator", "Statistics", "World", "serve"]
