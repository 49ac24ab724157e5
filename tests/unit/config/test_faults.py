from sidecar.config.faults import ConfigError, Fault, dotted, shown


def test_a_fault_says_where_what_why_and_what_to_do() -> None:
    fault = Fault("drain.limit", "'soon'", "is not a duration", "write 30s", "sidecar.yaml:4")
    assert str(fault) == (
        "drain.limit = 'soon'  (sidecar.yaml:4)\n  reason: is not a duration\n  remedy: write 30s"
    )


def test_a_fault_without_value_and_source_leaves_them_out() -> None:
    assert str(Fault("limits.scope", "", "is not set", "set it")).startswith("limits.scope\n")


def test_a_config_error_prints_every_fault() -> None:
    error = ConfigError([Fault("a", "", "one", "x"), Fault("b", "", "two", "y")])
    assert "one" in str(error)
    assert "two" in str(error)


def test_paths_are_written_as_they_are_looked_up() -> None:
    assert dotted(("models", "gemini-3.8-flash", "aliases", 0)) == 'models["gemini-3.8-flash"].aliases[0]'


def test_shown_values_are_short_and_on_one_line() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert shown("x" * 500).endswith("...")
    assert shown({"a": 1}) == "(a mapping)"
    assert shown([1]) == "(a list)"


def test_what_looks_like_a_credential_is_never_shown() -> None:
    for secret in (
        "AIzaSyFake",
        "AQ.Ab8fake",
        "ya29.fake",
        "-----BEGIN PRIVATE KEY-----",
        '{"private_key": "x"}',
    ):
        assert shown(secret) == "****"
        assert secret not in dotted(("key", secret))
