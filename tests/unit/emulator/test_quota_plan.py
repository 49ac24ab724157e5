"""Quota documents: what they mean, and what is wrong with them."""

import pytest

from sidecar.emulator.quota_plan import Limits, QuotaPlan, caller_of_key, parse_plan

_DOCUMENT = {
    "tier": "free",
    "spend_usd": 0.25,
    "models": {"gemini-3.8-flash": {"rpm": 10, "tpm": 250_000, "rpd": 20}, "*": {"rpm": 60}},
    "projects": {
        "alpha": {"keys": ["key-1", "key-2"], "tier": 1, "models": {"*": {"rpm": 5}}},
        "beta": {"spend_usd": 10},
    },
}


def test_limits_are_those_of_the_model_or_of_every_other_one():
    plan = parse_plan(_DOCUMENT)
    unnamed = plan.allowance("somebody")
    assert (unnamed.tier, unnamed.spend_pico_usd) == ("free", 250_000_000_000)
    assert unnamed.limits("gemini-3.8-flash") == Limits(10, 250_000, 20)
    assert unnamed.limits("gemini-4-argon") == Limits(rpm=60)


def test_a_project_replaces_what_it_names_and_inherits_the_rest():
    plan = parse_plan(_DOCUMENT)
    alpha, beta = plan.allowance("alpha"), plan.allowance("beta")
    assert (alpha.tier, alpha.spend_pico_usd) == ("1", 250_000_000_000)
    assert alpha.limits("gemini-3.8-flash") == Limits(rpm=5)
    assert (beta.tier, beta.spend_pico_usd) == ("free", 10**13)
    assert beta.limits("gemini-3.8-flash") == Limits(10, 250_000, 20)


def test_keys_that_are_listed_share_a_project_and_others_are_one_each():
    plan = parse_plan(_DOCUMENT)
    assert {plan.project(caller_of_key(key)) for key in ("key-1", "key-2")} == {"alpha"}
    assert plan.project(caller_of_key("key-3")) == caller_of_key("key-3")
    assert plan.project("beta") == "beta"


def test_a_plan_holds_no_key():
    assert "key-1" not in repr(parse_plan(_DOCUMENT))
    assert "secret" not in caller_of_key("secret")


def test_an_empty_document_limits_nothing():
    plan = parse_plan({})
    assert plan == QuotaPlan()
    assert plan.allowance("p").limits("m") == Limits()


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "the document: must be a mapping"),
        (None, "the document: must be a mapping"),
        ({"teir": "free"}, "teir: unknown name; known are tier, spend_usd, models, projects"),
        ({"tier": 4}, "tier: must be one of free, 1, 2, 3, not '4'"),
        ({"spend_usd": "ten"}, "spend_usd: must be an amount of US dollars, 0 or more, not 'ten'"),
        ({"spend_usd": float("nan")}, "spend_usd: must be an amount of US dollars, 0 or more, not nan"),
        ({"models": {"m": {"rpm": -1}}}, "models.m.rpm: must be a whole number, 0 or more, not -1"),
        ({"models": {"m": {"rpm": True}}}, "models.m.rpm: must be a whole number, 0 or more, not True"),
        ({"models": {"m": {"rps": 1}}}, "models.m.rps: unknown name; known are rpm, tpm, rpd"),
        ({"models": {"m": 5}}, "models.m: must be a mapping"),
        ({"models": {5: {}}}, "models.5: unknown name; must be a text"),
        ({"projects": {"a": {"keys": "k"}}}, "projects.a.keys: must be a list of API keys"),
        (
            {"projects": {"a": {"keys": ["k"]}, "b": {"keys": ["k"]}}},
            "projects.b.keys: a key that another project has too",
        ),
    ],
)
def test_a_faulty_document_is_refused_with_the_place_and_what_is_admissible(document, fault):
    with pytest.raises(ValueError, match=r"must|known|key") as refusal:
        parse_plan(document)
    assert str(refusal.value) == fault


def test_all_faults_are_told_at_once():
    with pytest.raises(ValueError, match="tier") as refusal:
        parse_plan({"tier": "gold", "projects": {"a": {"tier": "tin"}}})
    assert str(refusal.value).splitlines() == [
        "tier: must be one of free, 1, 2, 3, not 'gold'",
        "projects.a.tier: must be one of free, 1, 2, 3, not 'tin'",
    ]
