"""The processor's name and features."""

import platform
import subprocess

from pyrelu import _ufuncs

_VENDORS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD"}
_INSTRUCTION_SETS = {"v4": "AVX-512", "v3": "AVX2"}


def processor() -> str:
    """Return the processor's name, vendor, family and model, and the best instruction set pyrelu can use on it."""
    best = _ufuncs.isa_names()[0]
    baseline = "SSE2" if platform.machine() in ("x86_64", "AMD64") else "NEON"
    return f"{_model()} ({_INSTRUCTION_SETS.get(best, baseline)})"


def _model() -> str:
    try:
        if platform.system() == "Darwin":
            sysctl = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(sysctl, capture_output=True, text=True).stdout.strip() or platform.processor()
        with open("/proc/cpuinfo") as file:
            return model(file.read()) or platform.processor() or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def model(cpuinfo: str) -> str:
    r"""Return the name of the first processor from Linux's /proc/cpuinfo, or "" if it has none.

    The family and model numbers follow the name because virtual machines often hide the name.

    Examples
    --------
    >>> model("vendor_id : GenuineIntel\ncpu family : 6\nmodel : 167\nmodel name : Intel(R) Xeon(R) Processor\n")
    'Intel(R) Xeon(R) Processor, Intel family 6 model 167'
    >>> model("processor : 0\nCPU implementer : 0x41\nCPU part : 0xd40\n")
    'Arm implementer 0x41 part 0xd40'
    """
    lines = [line.partition(":") for line in cpuinfo.split("\n\n", 1)[0].splitlines()]
    fields = {key.strip(): value.strip() for key, _, value in lines}
    parts = [fields["model name"]] if fields.get("model name") else []
    if {"vendor_id", "cpu family", "model"} <= fields.keys():
        vendor = _VENDORS.get(fields["vendor_id"], fields["vendor_id"])
        parts.append(f"{vendor} family {fields['cpu family']} model {fields['model']}")
    if {"CPU implementer", "CPU part"} <= fields.keys():
        parts.append(f"Arm implementer {fields['CPU implementer']} part {fields['CPU part']}")
    return ", ".join(parts)
