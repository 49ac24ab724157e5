"""The wire contract `sidecar.v1`: code that `tools/proto` writes from `protos/sidecar/v1`; never edited."""
