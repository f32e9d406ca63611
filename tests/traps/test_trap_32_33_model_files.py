"""Traps 32 and 33: models are pickles; a crash while saving leaves half a model. (Format version 0.)"""

import pickle
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from alternant import modelfile
from alternant.errors import ModelFileError

WRITE_FOR_EVER = """
import itertools, sys
import numpy as np
from alternant import modelfile
print("ready", flush=True)
for value in itertools.count():
    modelfile.write(sys.argv[1], {"a": np.full(300_000, value)}, {"value": value})
"""


def test_trap_32_a_pickle_is_refused_unopened(tmp_path):
    path = tmp_path / "model.safetensors"

    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was opened",))

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps(Bomb(), protocol=protocol))
        with pytest.raises(ModelFileError, match="is not a model file"):
            modelfile.read(path)


def test_trap_33_kill_9_while_saving_leaves_a_whole_model(tmp_path):
    """A reader sees an old or a new model, never a mixture, whenever the writer dies."""
    path = tmp_path / "model.safetensors"
    modelfile.write(path, {"a": np.full(300_000, -1)}, {"value": -1})
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        arrays, content = modelfile.read(path)
        assert set(arrays["a"]) == {content["value"]}, f"seed {seed}"
