"""What all tests share: how hypothesis draws.

`tools/setup` sees to it that redis-server and Envoy are there, so a fixture that needs one simply starts it:
a missing program is a failure, never a skip.
"""

from hypothesis import HealthCheck, settings

# The same examples on every machine and every run, so a red build is red for everybody. To look for new ones:
# pytest --hypothesis-profile=default
settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=100,
    deadline=None,  # the machine is shared: pytest-timeout judges hangs, hypothesis must not judge speed
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("ci")
