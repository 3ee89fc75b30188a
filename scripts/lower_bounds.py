"""Every requirement of a setup.cfg at its lower bound, as constraints for pip.

Command: python scripts/lower_bounds.py setup.cfg > constraints.txt

The standard library alone: it runs before anything is installed.
"""

from __future__ import annotations

import configparser
import re
import sys


def constraints(setup_cfg: str) -> list[str]:
    """`name==version` of every requirement and extra; the highest where several bounds are given."""
    parser = configparser.ConfigParser()
    parser.read(setup_cfg, encoding="utf-8")
    lists = [parser["options"]["install_requires"], *parser["options.extras_require"].values()]
    bounds: dict[str, str] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?>=([\w.]+)", "\n".join(lists), re.MULTILINE):
        bounds[name] = max(bounds.get(name, "0"), version, key=lambda text: [*map(int, text.split("."))])
    return [f"{name}=={version}" for name, version in sorted(bounds.items())]


if __name__ == "__main__":
    print("\n".join(constraints(sys.argv[1])))
