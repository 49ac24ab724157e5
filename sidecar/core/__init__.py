"""The words of the project: facts, errors and ports.

Every other package speaks in these terms. Nothing here does I/O or imports anything but the standard library,
so any module may depend on it and none can be dragged along by it.
"""
