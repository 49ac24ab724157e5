"""Certificates and authorities are replaced under running streams: none breaks, and new handshakes are judged
by what is new.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc

from sidecar.mesh.files import write
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from tests.support import facts, mesh, rpc

STREAMS = 50
CHUNKS = 40
ASK = GenerateRequest(model=facts.MODEL, prompt="hi")
LONG = StreamGenerateRequest(model=facts.MODEL, prompt=f"hi [[emulate: words=200 chunks={CHUNKS} gap=100ms]]")
TAKEN_S = 2.0
"""Meant is one second from the new file to handshakes that show it; this machine may be shared."""


async def test_no_stream_breaks_while_certificates_and_authorities_are_replaced(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    now = asyncio.get_running_loop().time
    old, new = mesh.authority(), mesh.authority()
    old_caller, new_caller = mesh.issued(old), mesh.issued(new)
    async with mesh.pod(tmp_path / "pod", old) as pod:
        folder = pod.folder

        async def until_shown(by: mesh.Authority, certificate: bytes) -> float:
            began = now()
            context = mesh.tls(tmp_path, by, old_caller)
            await mesh.until(_shows(pod, context, certificate))
            return now() - began

        async with mesh.channel(pod.inbound, old, old_caller) as channel:
            gemini = GeminiServiceStub(channel)
            running = [asyncio.create_task(rpc.ask(gemini, "StreamGenerate", LONG)) for _ in range(STREAMS)]
            await pod.upstream.wait_for(lambda seen: seen.active == STREAMS)

            renewed = mesh.issued(old)
            mesh.install(folder, old, renewed)
            certificate_s = await until_shown(old, renewed.certificate)

            # A new authority is believed beside the old one first, then shown, then alone.
            write(folder / "certs" / "ca.crt", old.pair.certificate + new.pair.certificate, 0o644)
            renewed = mesh.issued(new)
            write(folder / "certs" / "tls.key", renewed.key, 0o600)
            write(folder / "certs" / "tls.crt", renewed.certificate, 0o644)
            authority_s = await until_shown(new, renewed.certificate)
            assert await _end(pod, new, new_caller) is grpc.StatusCode.OK
            assert await _end(pod, new, old_caller) is grpc.StatusCode.OK

            write(folder / "certs" / "ca.crt", new.pair.certificate, 0o644)
            began = now()
            await mesh.until(lambda: _is_refused(pod, new, old_caller))
            refused_s = now() - began
            assert await _end(pod, new, new_caller) is grpc.StatusCode.OK

            assert [stream for stream in running if stream.done()] == [], "they were to run all the while"
            ends = await asyncio.gather(*running)
    assert {(end.code, len(end.replies)) for end in ends} == {(grpc.StatusCode.OK, CHUNKS)}
    figures = {"certificate_s": certificate_s, "authority_s": authority_s, "refused_s": refused_s}
    for name, value in figures.items():
        record_property(name, value)
        print(f"{name} {value:.2f}")
    assert max(figures.values()) < TAKEN_S


async def test_a_key_that_does_not_fit_is_not_taken(tmp_path: Path) -> None:
    """As when one of two files has been replaced: the pair of before stays until both are there."""
    by = mesh.authority()
    caller = mesh.issued(by)
    async with mesh.pod(tmp_path / "pod", by) as pod:
        context = mesh.tls(tmp_path, by, caller)
        before = await mesh.shown_by(pod.inbound, context)
        renewed = mesh.issued(by)
        write(pod.folder / "certs" / "tls.crt", renewed.certificate, 0o644)
        await pod.envoy.until("sds.certificate.key_rotation_failed", 1)
        assert await mesh.shown_by(pod.inbound, context) == before
        assert await _end(pod, by, caller) is grpc.StatusCode.OK

        write(pod.folder / "certs" / "tls.key", renewed.key, 0o600)
        await mesh.until(_shows(pod, context, renewed.certificate))


def _shows(pod: mesh.Pod, context: object, certificate: bytes) -> Callable[[], Awaitable[bool]]:
    async def shows() -> bool:
        return await mesh.shown_by(pod.inbound, context) == certificate

    return shows


async def _end(pod: mesh.Pod, by: mesh.Authority, pair: mesh.Pair) -> grpc.StatusCode:
    """How a call by a new connection ends."""
    async with mesh.channel(pod.inbound, by, pair) as channel:
        return (await rpc.ask(GeminiServiceStub(channel), "Generate", ASK)).code


async def _is_refused(pod: mesh.Pod, by: mesh.Authority, pair: mesh.Pair) -> bool:
    return await _end(pod, by, pair) is grpc.StatusCode.UNAVAILABLE


async def test_a_mounted_secret_is_followed_as_the_kubelet_replaces_it(tmp_path: Path) -> None:
    """Its files are links into `..data`, a link to a directory of one version, which is what is replaced."""
    by = mesh.authority()
    caller = mesh.issued(by)
    async with mesh.pod(tmp_path / "pod", by) as pod:
        context = mesh.tls(tmp_path, by, caller)
        for version in ("first", "second"):
            renewed = mesh.issued(by)
            _mount(pod.folder / "certs", version, by, renewed)
            await mesh.until(_shows(pod, context, renewed.certificate))


def _mount(folder: Path, version: str, by: mesh.Authority, pair: mesh.Pair) -> None:
    """Put a version of a Secret in place."""
    contents = {"ca.crt": by.pair.certificate, "tls.crt": pair.certificate, "tls.key": pair.key}
    (folder / f"..{version}").mkdir()
    for name, content in contents.items():
        (folder / f"..{version}" / name).write_bytes(content)
    _link(folder / "..data", f"..{version}")
    for name in contents:
        if not (folder / name).is_symlink():
            _link(folder / name, f"..data/{name}")


def _link(path: Path, target: str) -> None:
    """Let a path be a link, at once."""
    beside = path.with_name("..data_tmp")
    beside.symlink_to(target)
    beside.rename(path)
