"""Asking Gemini: who to ask (`rank`), whether to ask again (`retry`), how to say it (`encode`), what the
answer means (`decode`, `sse`, `judge`, `classify`), and the wire itself (`rest`, `credentials`).

Everything but the last two is pure: values in, values out.
"""
