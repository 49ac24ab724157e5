"""What a user of the store must expect: that it cannot be used now, and why.

Imports no client library, so that whoever handles an outage can do so where there is no store.
"""

from enum import StrEnum


class Outage(StrEnum):
    """Why the store cannot be used, in a word for metrics and logs. Whatever the word, nothing is known of
    whether the command was run.
    """

    UNREACHABLE = "unreachable"
    """No connection could be made, or it broke."""
    UNTRUSTED = "untrusted"
    """TLS failed: the certificate is not of a trusted authority, has expired or has another name."""
    TIMEOUT = "timeout"
    """No answer in time."""
    DENIED = "denied"
    """The user, the password or the rights of the user are wrong."""
    FULL = "full"
    """Redis has reached maxmemory and evicts nothing."""
    MISCONFIGURED = "misconfigured"
    """Redis refuses writes because it cannot persist or replicate them."""
    READ_ONLY = "read_only"
    """The server is a replica: a failover is under way, or the address is wrong."""
    LOADING = "loading"
    """Redis is reading its data after a start."""
    CLUSTER_DOWN = "cluster_down"
    """A part of the cluster has no master."""
    CLUSTERED = "clustered"
    """The server is a node of a cluster, and the settings say otherwise."""
    BUSY = "busy"
    """A script has been running for long and Redis answers nothing else."""
    OVERLOADED = "overloaded"
    """Too many commands of this process wait for an answer; this one was not sent."""
    OPEN = "open"
    """The last attempts failed and the next is not due; the command was not sent."""
    CLOSED = "closed"
    """This process has closed its store."""
    FAULT = "fault"
    """Redis answered with an error that we do not expect: a defect of a script, or of ours."""


_TEXTS: dict[Outage, str] = {
    Outage.UNREACHABLE: "Redis cannot be reached: see that it runs and that redis.addresses are right",
    Outage.UNTRUSTED: "the certificate of Redis is not trusted: see redis.ca_file and the names in it",
    Outage.TIMEOUT: "Redis did not answer in time",
    Outage.DENIED: "Redis refuses the user, its password or its rights: see redis.username and the ACL",
    Outage.FULL: "Redis has no memory left: raise maxmemory",
    Outage.MISCONFIGURED: "Redis refuses writes because it cannot persist or replicate them",
    Outage.READ_ONLY: "this Redis is a replica and takes no writes",
    Outage.LOADING: "Redis is loading its data",
    Outage.CLUSTER_DOWN: "a part of the Redis cluster has no master",
    Outage.CLUSTERED: "this Redis is a node of a cluster: set redis.mode: cluster",
    Outage.BUSY: "Redis is busy with a long script",
    Outage.OVERLOADED: "too many commands wait for Redis",
    Outage.OPEN: "Redis failed just now and is not asked again yet",
    Outage.CLOSED: "the store is closed",
    Outage.FAULT: "Redis answered with an unexpected error",
}


class StoreUnavailable(Exception):
    """The store cannot be used now. Not an error of a call: who needs the store decides what that means.

    The message carries no credential and no value. The cause, where there is one, is the client library's
    error.
    """

    def __init__(self, outage: Outage) -> None:
        super().__init__(_TEXTS[outage])
        self.outage = outage

    def __repr__(self) -> str:
        return f"<StoreUnavailable {self.outage}>"
