"""What the sidecar tells its operator: metrics, one log line a call, health and readiness over HTTP.

`instruments` states every metric, `labels` keeps their labels few, `observer` records calls, `logs` and
`logformat` write lines, `http` serves. Nothing here decides anything about a call, and none of it can slow a
call down or make it fail.
"""
