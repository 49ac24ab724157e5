"""The store that a fleet shares: one Redis client, scripts by their SHA, and the bulletin.

`client.connected` is the way in. The client library is imported by the modules that speak to Redis, and these
are imported only when a configuration asks for them.
"""
