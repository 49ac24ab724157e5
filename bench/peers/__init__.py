"""What users would otherwise run, in front of the same fake upstream.

Optional: `python -m bench.peers.install` sets it up.
"""
