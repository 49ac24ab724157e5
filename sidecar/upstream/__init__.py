"""Asking Gemini: who to ask (`rank`), whether to ask again (`retry`), how to say it (`encode`), what the
answer means (`decode`, `sse`, `judge`, `classify`), and the wire itself (`http`, `chunks`, `credentials`).
Two transports put these together: `rest`, the hot path, and `sdk`, which lets google-genai do the wording.

Everything but the wire and the transports is pure: values in, values out.
"""
