import pytest
from prometheus_client import Counter

from sidecar.core.errors import Reason
from sidecar.core.outcome import CANCELLED, OK
from sidecar.telemetry.labels import MAX_MODEL_LENGTH, Children, ModelLabels


@pytest.mark.parametrize("ended", [OK, CANCELLED, Reason.UPSTREAM_QUOTA, Reason.UPSTREAM_UNAVAILABLE])
def test_a_model_is_its_own_label_however_its_first_attempt_ended(ended):
    assert ModelLabels().label("gemini-2.5-pro", ended) == "gemini-2.5-pro"


def test_beyond_the_limit_new_models_are_other_and_known_ones_keep_their_label():
    models = ModelLabels(limit=2)
    assert [models.label(name, OK) for name in ("a", "b", "c", "a", "b")] == ["a", "b", "other", "a", "b"]


def test_models_that_the_upstream_does_not_know_take_no_place():
    models = ModelLabels(limit=1)
    assert models.label("gemini-typo", Reason.UPSTREAM_NOT_FOUND) == "other"
    assert models.label("gemini-2.5-pro", OK) == "gemini-2.5-pro"


def test_a_known_model_keeps_its_label_when_it_is_withdrawn():
    models = ModelLabels()
    models.label("gemini-1.0-pro", OK)
    assert models.label("gemini-1.0-pro", Reason.UPSTREAM_NOT_FOUND) == "gemini-1.0-pro"


@pytest.mark.parametrize("model", ["", "m" * (MAX_MODEL_LENGTH + 1)])
def test_empty_and_overlong_names_are_other(model):
    assert ModelLabels().label(model, OK) == "other"


def test_repr_tells_how_full_it_is():
    models = ModelLabels(limit=5)
    models.label("a", OK)
    assert repr(models) == "<ModelLabels 1 of 5 names>"


def test_labels_are_spelt_once_per_key():
    spelt = []

    def labels_of(key):
        spelt.append(key)
        return (key,)

    children = Children(Counter("hits", "Hits.", ("key",), registry=None), labels_of)
    assert children["a"] is children["a"]
    assert children["a"] is not children["b"]
    assert spelt == ["a", "b"]
