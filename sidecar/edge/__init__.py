"""The faces of the sidecar: the only speakers of gRPC to callers."""
