"""Gemini Sidecar: a typed gRPC face for the Gemini API on localhost."""
