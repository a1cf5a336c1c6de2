"""What is in the sdist and the wheels of a folder: `DIST=dist pytest tests/distributions.py`, which `.ci/wheel` runs.

The suite does not collect this file, as it has no wheel to look into.
"""

import os
import re
import subprocess
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from test_wheel import ROOT, in_a_wheel

FOLDER = Path(os.environ["DIST"])
WHEELS = sorted(FOLDER.glob("*.whl"))
SDISTS = sorted(FOLDER.glob("*.tar.gz"))
assert WHEELS or SDISTS, f"{FOLDER} has neither wheel nor sdist"

# bytes; kernels for three instruction sets in two precisions are 0.9 MB of it, and a repaired wheel has OpenMP's library
LARGEST, LARGEST_REPAIRED = 1_500_000, 1_650_000
SUFFIXES = {".py", ".pyi", ".typed"}
each_wheel = pytest.mark.parametrize("wheel", WHEELS, ids=lambda path: path.name, indirect=True)


@pytest.fixture
def wheel(request):
    with zipfile.ZipFile(request.param) as archive:
        yield archive


def installed(archive):
    """The paths in site-packages, without what tells of the distribution."""
    return {Path(name) for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}


@each_wheel
def test_a_wheel_has_the_package_and_what_it_is_compiled_to(wheel):
    files = installed(wheel)
    assert all(map(in_a_wheel, files))
    package = {path.relative_to(ROOT) for path in ROOT.glob("pyrelu/**/*") if path.suffix in SUFFIXES}
    assert {path for path in files if path.suffix in SUFFIXES} == package
    compiled = {path.name.split(".")[0] for path in files - package if path.parent.name == "pyrelu"}
    assert compiled == {path.stem for path in ROOT.glob("pyrelu/*.pyx")} | {"libpyrelu"}
    elsewhere = {path.parent.name for path in files - package} - {"pyrelu"}
    assert elsewhere <= {"pyrelu.libs", ".dylibs"}  # OpenMP's library, of a repaired wheel


@each_wheel
def test_a_wheel_is_small(wheel):
    repaired = any(path.parent.name == "pyrelu.libs" for path in installed(wheel))
    assert Path(wheel.filename).stat().st_size < (LARGEST_REPAIRED if repaired else LARGEST)


@each_wheel
def test_a_wheel_is_for_all_later_pythons(wheel):
    _, _, python, abi, _ = Path(wheel.filename).stem.split("-")
    modules = [path for path in installed(wheel) if re.search(r"\.(so|pyd)$", path.name) and path.name[0] == "_"]
    if abi.endswith("t"):  # there is no stable interface to free-threaded Pythons before 3.15
        assert python == abi.removesuffix("t") and all(f"-{abi[2:]}-" in path.name for path in modules)
    else:
        assert (python, abi) == ("cp311", "abi3")
        assert all(path.name.endswith((".abi3.so", ".pyd")) for path in modules)


@each_wheel
def test_a_wheel_names_no_folder_of_the_machine_that_built_it(wheel):
    home = re.compile(rb"/(tmp|home|root|build|private|project|Users)/[\w./-]+")
    for name in wheel.namelist():
        if name.startswith("pyrelu/") and name.endswith((".so", ".dylib")):
            assert not home.search(wheel.read(name)), name


@each_wheel
def test_what_the_index_will_show_of_a_wheel(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(wheel.read(name))
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert {"Homepage", "Documentation", "Repository", "Changelog", "Issues"} == {
        line.split(", ")[0] for line in metadata.get_all("Project-URL")
    }
    links = re.findall(r"\]\(([^)]*)\)", metadata.get_payload())
    assert links and all(link.startswith("https://") for link in links), "an index shows README without this repository"


@pytest.mark.parametrize("path", SDISTS, ids=lambda path: path.name)
def test_an_sdist_can_be_built_and_tested(path):
    with tarfile.open(path) as archive:
        files = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    for folder in ("pyrelu", "src", "tests", "docs", "examples", "bench", "tools"):
        wanted = {Path(file) for file in tracked if file.startswith(f"{folder}/")}
        assert wanted and wanted - files == set()
    assert {Path(name) for name in ("CMakeLists.txt", "LICENSE", "README.md", "CHANGELOG.md", "PKG-INFO")} <= files
