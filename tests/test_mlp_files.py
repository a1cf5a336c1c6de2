"""Damaged and foreign files, and interrupted writes: errors that say so, and no half-written file."""

import json
import os
import pickle
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import safetensors.numpy
from sklearn.datasets import load_digits

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._storage import files, temporary
from pyrelu.exceptions import InvalidFileError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]


# ---- files that are not what they should be ----


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mlp"
    MLPClassifier((5,), max_iter=2, random_state=0).fit(X, y).save(path)
    return path


def edit(path, change):
    """Change the document in the file and bring its digest up to date, as a forger would."""
    with safetensors.safe_open(path, framework="numpy") as opened:
        document = json.loads(opened.metadata()["pyrelu"])
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}
    change(document, arrays)
    text = json.dumps(document)
    metadata = {"pyrelu": text, "sha256": files._digest(text, arrays)}
    path.write_bytes(safetensors.numpy.save(arrays, metadata))


def refused(path, message, cls=MLPClassifier):
    with pytest.raises(InvalidFileError, match=message) as caught:
        cls.load(path)
    assert isinstance(caught.value, ValueError) and str(caught.value).startswith(str(path))


def test_truncated(file):
    content = file.read_bytes()
    for length in [*range(0, len(content), len(content) // 40), len(content) - 1]:
        file.write_bytes(content[:length])
        refused(file, "is truncated, or not a safetensors file")


def test_every_bit_counts(file):
    content = bytearray(file.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(len(content), size=200):
        bit = 1 << int(rng.integers(8))
        content[place] ^= bit
        file.write_bytes(content)
        refused(file, ".")
        content[place] ^= bit
    content[-1] ^= 1
    file.write_bytes(content)
    refused(file, "is damaged: its content does not have the SHA-256 that it says")


def test_foreign(file):
    file.write_bytes(b"not a model, but a text that goes on for a while")
    refused(file, "is truncated, or not a safetensors file")
    file.write_bytes(pickle.dumps(MLPClassifier()))
    refused(file, "is truncated, or not a safetensors file")
    file.write_bytes(safetensors.numpy.save({"weights": X}))
    refused(file, "was not written by pyrelu")
    file.write_bytes(safetensors.numpy.save({"weights": X}, {"pyrelu": "no JSON", "sha256": ""}))
    refused(file, "is not as pyrelu writes it")
    with pytest.raises(FileNotFoundError):
        MLPClassifier.load(file.parent / "nothing")
    with pytest.raises(IsADirectoryError):
        MLPClassifier.load(file.parent)
    with pytest.raises(IsADirectoryError, match=re.escape(repr(str(file.parent)))):
        MLPClassifier().save(file.parent)
    with pytest.raises(FileNotFoundError, match="''"):
        MLPClassifier().save("")


def test_newer(file):
    edit(file, lambda document, arrays: document.update(format=2, version="9.1.0"))
    refused(file, r"was written by pyrelu 9\.1\.0 in format 2; this is pyrelu .* up to format 1\. Update pyrelu")


def test_parameter_of_the_future(file):
    edit(file, lambda document, arrays: document["content"].update(depth=3))
    refused(file, "has the parameter 'depth', which MLPClassifier of pyrelu .* does not have")


def test_another_class(file):
    refused(file, "holds MLPClassifier, not MLPRegressor", MLPRegressor)


@pytest.mark.parametrize("key", ["format", "version", "kind", "content"])
def test_missing_key(file, key):
    edit(file, lambda document, arrays: document.pop(key))
    refused(file, f"is not as pyrelu writes it .*{key}")


def test_missing_array(file):
    edit(file, lambda document, arrays: arrays.pop("coefs_.0"))
    refused(file, r"is not as pyrelu writes it .*coefs_\.0")


@pytest.mark.parametrize(
    "code",
    [
        {"object": ["Popen", {"dict": []}]},
        {"object": ["Adam", 3]},
        {"RandomState": {"dict": [["bit_generator", "seed"]]}},
        {"eval": "1"},
        {"__init__": 1},
        {"array": "coefs_.0", "tuple": []},
        {"same": 0},
        {"objects": [[7], [1, 2]]},
    ],
)
def test_only_known_types_are_made(file, code):
    edit(file, lambda document, arrays: document["content"].update(alpha=code))
    refused(file, "is not as pyrelu writes it")


def test_pickle_of_a_newer_version(monkeypatch):
    monkeypatch.setattr(files, "FORMAT", 2)
    content = pickle.dumps(MLPClassifier())
    monkeypatch.undo()
    with pytest.raises(InvalidFileError, match=r"this pickle was written by pyrelu .* in format 2; this is pyrelu"):
        pickle.loads(content)
    mlp = MLPClassifier()
    mlp.depth = 3
    with pytest.raises(InvalidFileError, match="this pickle has the parameter 'depth'"):
        pickle.loads(pickle.dumps(mlp))


# ---- writing ----

WRITER = """
import os, resource, signal, sys
import numpy as np
from pyrelu import MLPClassifier

mlp = MLPClassifier((300, 200), random_state=0).partial_fit(np.eye(3), [0, 1, 2], classes=[0, 1, 2])
mlp.save(sys.argv[1])
size = os.path.getsize(sys.argv[1])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Linux and macOS end a process that writes more than it may
for share in (0.01, 0.5, 0.99):
    if not (pid := os.fork()):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * size),) * 2)
        mlp.save(sys.argv[1])
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGXFSZ
    assert MLPClassifier.load(sys.argv[1]).coefs_[1].shape == (300, 200)
"""


def test_killed_while_writing(tmp_path):
    subprocess.run([sys.executable, "-c", WRITER, tmp_path / "mlp"], check=True)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(file, monkeypatch):
    before = file.read_bytes()

    def full(*args):
        raise OSError("no space left on device")

    for function in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, function, full)
            with pytest.raises(OSError, match="no space"):
                MLPClassifier().save(file)
        assert file.read_bytes() == before and os.listdir(file.parent) == ["mlp"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        MLPClassifier().save(tmp_path / "nowhere" / "mlp")
    assert caught.value.filename == str(tmp_path / "nowhere" / "mlp")
    with pytest.raises(OSError, match="irectory"):
        MLPClassifier().save(tmp_path)
    assert os.listdir(tmp_path) == []


def test_permissions_and_links(file):
    plain = file.parent / "plain"
    plain.touch()
    assert file.stat().st_mode == plain.stat().st_mode
    file.chmod(0o640)
    link = file.parent / "link"
    link.symlink_to(file)
    MLPClassifier(alpha=5).save(link)
    assert link.is_symlink() and file.stat().st_mode & 0o777 == 0o640 and MLPClassifier.load(file).alpha == 5
    MLPClassifier(alpha=6).save(str(file))
    assert MLPClassifier.load(str(file)).alpha == 6


def test_interrupted_when_all_is_done(file, monkeypatch):
    replace = os.replace

    def interrupted(*paths):
        replace(*paths)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        MLPClassifier(alpha=5).save(file)
    assert MLPClassifier.load(file).alpha == 5 and os.listdir(file.parent) == ["mlp"]


def test_what_killed_processes_left_is_removed_and_what_others_write_is_not(tmp_path, monkeypatch):
    path = tmp_path / "mlp"
    child = """if True:
        import os, sys, pyrelu
        mlp = pyrelu.MLPClassifier()
        for _ in range(2):
            if not (pid := os.fork()):
                os.replace = lambda *_: os.kill(os.getpid(), 9)
                mlp.save(sys.argv[1])
            assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == 9
        os.replace = lambda *_: (print("writes", flush=True), sys.stdin.readline(), sys.exit(1))
        print("killed", flush=True)
        sys.stdin.readline()
        mlp.save(sys.argv[1])
    """
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen([sys.executable, "-c", child, path], **pipes) as writer:
        assert writer.stdout.readline() == "killed\n"
        [killed] = os.listdir(tmp_path)  # the second has removed the first's
        MLPClassifier().save(tmp_path / "other")
        assert set(os.listdir(tmp_path)) == {"other", killed}
        print(file=writer.stdin, flush=True)
        assert writer.stdout.readline() == "writes\n"
        [left] = set(os.listdir(tmp_path)) - {"other"}
        assert left != killed
        MLPClassifier().save(path)
        assert set(os.listdir(tmp_path)) == {"mlp", "other", left}
    assert set(os.listdir(tmp_path)) == {"mlp", "other"}


def test_without_locks(tmp_path, monkeypatch):
    """As on Windows: a file is closed before it replaces another, and one that may be another process's stays a minute."""
    monkeypatch.setattr(temporary, "fcntl", None)
    path, replace, create, opened = tmp_path / "mlp", os.replace, temporary.create, []
    monkeypatch.setattr(temporary, "create", lambda draft: opened.append(create(draft)) or opened[-1])
    monkeypatch.setattr(os, "replace", lambda *paths: os.write(opened[-1], b"too late"))
    with pytest.raises(OSError, match="Bad file descriptor"):
        MLPClassifier().save(path)
    assert os.listdir(tmp_path) == []
    monkeypatch.setattr(os, "replace", replace)
    MLPClassifier(alpha=5).save(path)
    assert MLPClassifier.load(path).alpha == 5
    left = [tmp_path / f"left{age}" for age in (30, 90)]
    for file, age in zip(left, (30, 90)):
        file.touch()
        os.utime(file, (time.time() - age,) * 2)
        temporary.remove_if_left(file)
    assert [file.exists() for file in left] == [True, False]


@pytest.mark.parametrize("name", ["x" * 252, "é" * 127, b"bytes", "with space"])
def test_names(name, tmp_path):
    path = os.path.join(os.fsencode(tmp_path), name) if isinstance(name, bytes) else os.path.join(tmp_path, name)
    MLPClassifier(alpha=5).save(path)
    assert MLPClassifier.load(path).alpha == 5
    with pytest.raises(InvalidFileError, match="holds MLPClassifier"):
        MLPRegressor.load(path)


def test_a_file_that_is_cut_off_while_it_is_loaded(file, monkeypatch):
    arrays = files._arrays

    def cut(data):
        os.truncate(file, 0)
        return arrays(data)

    monkeypatch.setattr(files, "_arrays", cut)
    assert MLPClassifier.load(file).coefs_[0].shape == (64, 5)


def test_devices_have_no_end(tmp_path):
    refused("/dev/zero", "is a device or a pipe, not a file")


@pytest.mark.parametrize(
    "code",
    [
        {"strings": [536870911, [3], ["a", "b", "c"]]},
        {"strings": [2**62, [1], ["a"]]},
        {"tuple": [{"array": "coefs_.0"}] * 2},
        {"scalar": {"array": "coefs_.0"}},
        {"dict": [[[1], 2]]},
        {"object": ["Step", {"dict": [["initial", 0.1], ["n_epochs", 0]]}]},
        {"object": ["LabelBinarizer", {"dict": [["fit", 1]]}]},
    ],
    ids=str,
)
def test_what_a_file_says_is_bounded_by_the_file(file, code):
    edit(file, lambda document, arrays: document["content"].update(alpha=code))
    refused(file, "is not as pyrelu writes it")


def test_nesting(file):
    code = 1
    for _ in range(3000):
        code = [code]
    with pytest.raises(TypeError, match="alpha.* is nested more than"):
        MLPClassifier(alpha=code).save(file)
    text = json.dumps({"format": 1, "version": "0", "kind": "MLPClassifier", "content": {"alpha": "@"}})
    for levels in (101, 3000, 100_000):
        deep = text.replace('"@"', "[" * levels + "]" * levels)
        file.write_bytes(safetensors.numpy.save({}, {"pyrelu": deep, "sha256": files._digest(deep, {})}))
        refused(file, "is not as pyrelu writes it")


@pytest.mark.parametrize(("generator", "name"), [("MT19937", "pos"), ("Philox", "buffer_pos")])
@pytest.mark.parametrize("place", [-1, 10**6])
def test_random_states_read_no_further_than_their_numbers(generator, name, place, tmp_path):
    mlp = MLPClassifier(random_state=np.random.RandomState(getattr(np.random, generator)(0)))
    path = tmp_path / "mlp.safetensors"
    mlp.save(path)
    again = MLPClassifier.load(path)
    assert again.random_state.randint(2**31) == mlp.random_state.randint(2**31)
    mlp.save(path)
    text = json.dumps(place)

    def change(document, arrays):
        changed = re.sub(rf'(\["{name}", )\d+', rf"\g<1>{text}", json.dumps(document))
        assert changed != json.dumps(document)
        document.update(json.loads(changed))

    edit(path, change)
    refused(path, "beyond its")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("n_features_in_", 7),
        ("n_outputs_", 3),
        ("classes_", {"array": "intercepts_.0"}),
        ("out_activation_", "glu"),
        ("activation", "prelu"),
        ("coefs_", []),
        ("history_", 3),
        ("_network", 3),
        ("predict_", None),
        ("fit", None),
        ("_optimizer", {"dict": []}),
        ("_label_binarizer", None),
    ],
)
def test_an_estimator_is_as_a_fit_leaves_it(file, name, code):
    edit(file, lambda document, arrays: document["content"].update({name: code}))
    if name == "predict_":  # an attribute of its own harms nothing
        assert MLPClassifier.load(file).predict_ is None
    else:
        refused(file, "does not hold a valid estimator|is not as pyrelu writes it|has the parameter")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc, and limits as Linux has them")
def test_without_memory(tmp_path):
    """A MemoryError at most, whoever runs out of it; the file is as it was."""
    program = f"""if True:
        import os, pathlib, resource
        import numpy as np
        from pyrelu import MLPClassifier

        path = pathlib.Path({str(tmp_path / "mlp")!r})
        mlp = MLPClassifier((1500, 1500), max_iter=1).fit(np.eye(9), np.arange(9) % 2)
        mlp.save(path)
        before = path.read_bytes()
        for call in (lambda: mlp.save(path), lambda: MLPClassifier.load(path)):
            n = 0
            size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            for more in range(0, 2**28, 2**24):
                resource.setrlimit(resource.RLIMIT_AS, (size + more, resource.RLIM_INFINITY))
                try:
                    call()
                except MemoryError:
                    n += 1
                    assert path.stat().st_size == len(before)
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert path.read_bytes() == before and os.listdir(path.parent) == ["mlp"]
            print(n < 16, flush=True)
    """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "True\n" * 2), done.stderr
