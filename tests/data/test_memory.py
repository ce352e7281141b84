import numpy as np

from hepclf.data.loader import Loader
from hepclf.data.memory import Memory
from hepclf.data.split import Split
from hepclf.events import Events


def test_events_in_memory_are_loaded_as_they_are():
    events = Events(features=np.zeros((6, 1)), labels=np.array([0, 1, 0, 1, 0, 1]), names=("a",))
    loader: Loader = Memory(events=events, split=Split(by="tail", valid=2, test=2))
    assert loader.load() is events
    assert loader.split.parts(events).tolist() == [0, 0, 1, 1, 2, 2]
    assert Memory(events=events).split == Split()
