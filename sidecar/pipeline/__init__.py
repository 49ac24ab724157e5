"""A request's way, as straight functions.

`gate` holds a slot, `admit` asks identity, policy, cache and budgets, `attempts` asks upstream, `settle`
closes the books; `generate` and `stream` are the two orders in which that happens.
"""
