"""`python -m bench.peers.install`: puts the peers into `build/peers`, at the versions that are measured.

Nothing else installs them: tests and figures do without.
"""

import argparse
import subprocess
import sys

from bench.peers.figures import PEERS


def main() -> int:
    """Install the peers that are named. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.peers.install", description="Install the gateways that are measured beside us."
    )
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}; default: all")
    names: list[str] = parser.parse_args().peers or list(PEERS)
    if unknown := set(names) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    failed = False
    for peer in map(PEERS.__getitem__, names):
        try:
            peer.install()
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            failed = True
            sys.stderr.write(f"{peer.name} {peer.version} was not installed: {error}\n")
        else:
            sys.stdout.write(f"{peer.name} {peer.version} is installed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
