"""The store that a fleet shares: one Redis client, and scripts by their SHA.

`client.connected` is the way in. The client library is imported by the modules that speak to Redis, and these
are imported only when a configuration asks for them.
"""
