"""What this machine has: its processor, memory and graphics cards. Keras is imported only to ask what it trains on."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path


def usable_cores() -> int:
    """How many of the processor's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor_name() -> str:
    """What the processor is sold as, where the system tells; else "unnamed"."""
    if sys.platform == "linux":
        names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        return names[0] if names else "unnamed"
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unnamed"
    return platform.processor() or "unnamed"


def processor() -> str:
    """The processor in words: "2 cores, AMD EPYC, Linux x86_64"."""
    return f"{usable_cores()} cores, {processor_name()}, {platform.system()} {platform.machine()}"


def memory() -> tuple[float, float]:
    """Total and free memory, in gigabytes of 10^9 bytes."""
    import psutil

    found = psutil.virtual_memory()
    return found.total / 1e9, found.available / 1e9


def graphics_cards() -> list[str]:
    """What the accelerators are called that the Keras backend sees; empty where it trains on the processor."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    import tensorflow as tf

    cards = [tf.config.experimental.get_device_details(card) for card in tf.config.list_physical_devices("GPU")]
    return [card.get("device_name", "GPU") for card in cards]


def device() -> str:
    """What Keras trains on, in words: the first graphics card, "NVIDIA H100", or else the processor."""
    return next(iter(graphics_cards()), processor())
