"""Every way a Policy can be refused: the path that is blamed and the reason that is given."""

import pytest

from tests.unit.config.builders import KEY, Folder

MAIN = "{name: main, api: gemini, key: {file: $/key}}"
EU = "{name: eu, api: vertex, project: my-cloud}"


def gemini(fields: str) -> str:
    return f"projects: [{{name: main, api: gemini, key: {{file: $/key}}, {fields}}}]"


def vertex(fields: str) -> str:
    return f"projects: [{{name: eu, api: vertex, project: my-cloud, {fields}}}]"


def key(reference: str) -> str:
    return f"projects: [{{name: main, api: gemini, key: {reference}}}]"


def beside(sections: str) -> str:
    return f"projects: [{MAIN}, {EU}]\n{sections}"


BAD_POLICIES = [
    # projects
    ("", "projects", "is missing"),
    ("projects: []", "projects", "is empty"),
    ("projects: main", "projects", "is not a list"),
    ("projects: [main]", "projects[0]", "is not a mapping"),
    ("projects: [{name: main}]", "projects[0].api", "is missing"),
    ("projects: [{name: main, api: palm}]", "projects[0].api", "is not a known word"),
    ("projects: [{api: gemini, key: {file: $/key}}]", "projects[0].name", "is missing"),
    ("projects: [{name: main, api: gemini}]", "projects[0].key", "is missing"),
    ("projects: [{name: eu, api: vertex}]", "projects[0].project", "is missing"),
    ("projects: [{name: Main, api: vertex, project: x}]", "projects[0].name", "is not a valid name here"),
    ("projects: [{name: -a, api: vertex, project: x}]", "projects[0].name", "is not a valid name here"),
    (f"projects: [{MAIN}, {MAIN}]", "projects[1].name", "is the name of another project too"),
    (f"projects: [{MAIN}]\nprojetcs: []", "projetcs", "is not a known key"),
    (gemini("api_key: x"), "projects[0].api_key", "is not a known key"),
    (gemini("location: global"), "projects[0].location", "is not a known key"),
    (gemini("api_version: beta"), "projects[0].api_version", "is not a valid name here"),
    (vertex("key: {file: $/key}"), "projects[0].key", "is not a known key"),
    (vertex("location: Europe West"), "projects[0].location", "is not a valid name here"),
    ("projects: [{name: eu, api: vertex, project: 12345}]", "projects[0].project", "is not text"),
    # base URLs
    (
        gemini("base_url: generativelanguage.googleapis.com"),
        "projects[0].base_url",
        "is neither http nor https",
    ),
    (gemini("base_url: ftp://host"), "projects[0].base_url", "is neither http nor https"),
    (gemini("base_url: 'https://'"), "projects[0].base_url", "has no valid host"),
    (gemini("base_url: 'https://host:99999'"), "projects[0].base_url", "is not a URL"),
    (gemini("base_url: 'https://[::1'"), "projects[0].base_url", "is not a URL"),
    (gemini("base_url: 'https://ho st'"), "projects[0].base_url", "has white space in it"),
    (gemini('base_url: "https://ho\\nst"'), "projects[0].base_url", "has white space in it"),
    (gemini("base_url: 'https://host/?key=hidden'"), "projects[0].base_url", "carries a query or fragment"),
    (gemini("base_url: 'https://host/#x'"), "projects[0].base_url", "carries a query or fragment"),
    (gemini("base_url: 'https://me:hidden@host'"), "projects[0].base_url", "carries a user or password"),
    (gemini("base_url: 'me:hidden@host'"), "projects[0].base_url", "is neither http nor https"),
    (
        gemini("base_url: 'https://host/a//b'"),
        "projects[0].base_url",
        "has a path that is not a plain prefix",
    ),
    (
        gemini("base_url: 'https://host/../b'"),
        "projects[0].base_url",
        "has a path that is not a plain prefix",
    ),
    (gemini("base_url: 'https://host/v1beta/'"), "projects[0].base_url", "ends with an API version"),
    (
        gemini("base_url: http://gemini.example"),
        "projects[0].base_url",
        "would send credentials to gemini.example",
    ),
    (gemini("base_url: http://127.evil.example"), "projects[0].base_url", "would send credentials to"),
    # keys and credentials
    (key("hidden"), "projects[0].key", "is a literal or no reference"),
    (key("12345"), "projects[0].key", "is a literal or no reference"),
    (key("{env: AIzaHidden}"), "projects[0].key", "is a literal or no reference"),
    (key("{value: hidden}"), "projects[0].key.value", "is not a known key"),
    (key("{}"), "projects[0].key", "names not exactly one place"),
    (key("{file: $/key, env: KEY}"), "projects[0].key", "names not exactly one place"),
    (key("{file: $/nowhere}"), "projects[0].key.file", "cannot be read: No such file or directory"),
    (key("{file: hidden}"), "projects[0].key.file", "cannot be read: No such file or directory"),
    (key("{file: $}"), "projects[0].key.file", "cannot be read: Is a directory"),
    (key("{file: $/policy.yaml}"), "projects[0].key.file", "holds something else than one key"),
    (key("{file: /dev/null}"), "projects[0].key.file", "is not a regular file"),
    (key("{env: NOT_SET}"), "projects[0].key.env", "names a variable that is not set"),
    (key("{env: EMPTY}"), "projects[0].key.env", "is empty: there is no key in it"),
    (key("{env: hidden-key}"), "projects[0].key.env", "is not a name of an environment variable"),
    (vertex("credentials: hidden"), "projects[0].credentials", "is a literal or no reference"),
    (vertex("credentials: {}"), "projects[0].credentials.file", "is missing"),
    (vertex("credentials: {file: $/gone}"), "projects[0].credentials.file", "cannot be read"),
    (vertex("credentials: {file: $/key}"), "projects[0].credentials.file", "is no Google credentials file"),
    # models
    (beside("models: [fast]"), "models", "is not a mapping"),
    (beside("models: {models/fast: }"), 'models["models/fast"]', "is a resource name"),
    (
        beside("models: {publishers/google/models/m: }"),
        'models["publishers/google/models/m"]',
        "is a resource name",
    ),
    (beside("models: {'a b': }"), 'models["a b"]', "is not a model id"),
    (beside("models: {../a: }"), 'models["../a"]', "is not a model id"),
    (beside("models: {fast: {alias: x}}"), "models.fast.alias", "is not a known key"),
    (beside("models: {fast: {aliases: x}}"), "models.fast.aliases", "is not a list"),
    (beside("models: {fast: {aliases: [a/b]}}"), "models.fast.aliases[0]", "is not a valid name here"),
    (beside("models: {fast: {projects: []}}"), "models.fast.projects", "is empty"),
    (beside("models: {fast: {projects: [man]}}"), "models.fast.projects[0]", "is no project of this file"),
    (beside("models: {fast: {projects: [eu, eu]}}"), "models.fast.projects[1]", "is listed twice"),
    (beside("models: {a: {aliases: [x]}, b: {aliases: [x]}}"), "models.b.aliases[0]", "is already an alias"),
    (beside("models: {a: {aliases: [x, x]}}"), "models.a.aliases[1]", "is already an alias"),
    (beside("models: {a: {aliases: [b]}, b: }"), "models.a.aliases[0]", "is the id of a listed model"),
    (beside("models: {a: , a: }"), "models.a", "is given twice"),
    (beside("unlisted_models: maybe"), "unlisted_models", "is not a known word"),
    (beside("unlisted_models: deny"), "unlisted_models", "denies every model, because none is listed"),
    (beside("unknown_fields: true"), "unknown_fields", "is not a known word"),
    # tenants
    (beside("tenants: {search: }"), "tenants.search", "is not a mapping"),
    (beside("tenants: {Search: {principals: [a]}}"), "tenants.Search", "is not a valid name here"),
    (beside("tenants: {search: {principals: []}}"), "tenants.search.principals", "is empty"),
    (
        beside("tenants: {search: {principals: ['a b']}}"),
        "tenants.search.principals[0]",
        "is empty or has white",
    ),
    (
        beside("tenants: {a: {principals: [x]}, b: {principals: [y, x]}}"),
        "tenants.b.principals[1]",
        "belongs to tenant a already",
    ),
    (beside("tenants: {a: {principals: [x], priority: urgent}}"), "tenants.a.priority", "is no priority of"),
    (
        beside("tenants: {a: {principals: [x], priority: batch}}\npriorities: {low: 1}"),
        "tenants.a.priority",
        "is no priority of this file",
    ),
    (beside("tenants: {a: {principals: [x], weight: 0}}"), "tenants.a.weight", "is out of range"),
    # priorities
    (beside("priorities: {}"), "priorities", "is empty"),
    (beside("priorities: [standard]"), "priorities", "is not a mapping"),
    (beside("priorities: {Standard: 1}"), "priorities.Standard", "is not a valid name here"),
    (beside("priorities: {standard: 0}"), "priorities.standard", "is out of range"),
    (beside("priorities: {standard: -1}"), "priorities.standard", "is out of range"),
    (beside("priorities: {standard: high}"), "priorities.standard", "is not a weight"),
    # prices
    (beside("prices: [x]"), "prices", "is not a mapping"),
    (beside("prices: {models/x: [{input: 1, output: 1}]}"), 'prices["models/x"]', "is a resource name"),
    (beside("prices: {x: {input: 1, output: 1}}"), "prices.x", "is not a list"),
    (beside("prices: {x: []}"), "prices.x", "is empty"),
    (beside("prices: {x: [{output: 1}]}"), "prices.x[0].input", "is missing"),
    (beside("prices: {x: [{input: 1, output: 1, inputs: 1}]}"), "prices.x[0].inputs", "is not a known key"),
    (beside("prices: {x: [{input: cheap, output: 1}]}"), "prices.x[0].input", "is not a price"),
    (beside("prices: {x: [{input: true, output: 1}]}"), "prices.x[0].input", "is not a price"),
    (beside("prices: {x: [{input: -1, output: 1}]}"), "prices.x[0].input", "is out of range"),
    (beside("prices: {x: [{input: 1e999, output: 1}]}"), "prices.x[0].input", "is out of range"),
    (
        beside("prices: {x: [{input: 0.0000001, output: 1}]}"),
        "prices.x[0].input",
        "has more than six decimals",
    ),
    (
        beside("prices: {x: [{input: {text: 1, audio: -1}, output: 1}]}"),
        "prices.x[0].input.audio",
        "is out of range",
    ),
    (
        beside("prices: {x: [{input: {audio: 1}, output: 1}]}"),
        "prices.x[0].input.text",
        "is missing",
    ),
    (
        beside("prices: {x: [{input: {text: 1, smell: 1}, output: 1}]}"),
        "prices.x[0].input.smell",
        "is not a known key",
    ),
    (beside("prices: {x: [{since: 2027, input: 1, output: 1}]}"), "prices.x[0].since", "is not a day"),
    (
        beside("prices: {x: [{since: 2027-02-30, input: 1, output: 1}]}"),
        "prices.x[0].since",
        "is no day of the calendar",
    ),
    (
        beside("prices: {x: [{input: 1, output: 1}, {input: 2, output: 2}]}"),
        "prices.x",
        "is not in the order of its days",
    ),
]


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    BAD_POLICIES,
    ids=[f"{number}: {path} {reason}" for number, (_, path, reason) in enumerate(BAD_POLICIES)],
)
def test_a_bad_policy_is_blamed_where_it_stands(folder: Folder, text: str, path: str, reason: str) -> None:
    reading = folder.read(text, {"EMPTY": " \n"})
    assert reading.policy is None
    (fault,) = reading.faults
    assert fault.path == path
    assert fault.reason.startswith(reason)
    assert fault.remedy
    assert fault.source.startswith(str(folder.path / "policy.yaml"))
    assert "idden" not in str(fault)
    assert KEY not in str(fault)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"- a", "is not a mapping"),
        (b"projects: [", "is not YAML"),
        (b"projects: \xff", "is not UTF-8: byte 11"),
        (b"#" * (2 << 20), "is larger than 1048576 bytes"),
    ],
)
def test_a_file_that_is_no_policy_is_one_fault(folder: Folder, content: bytes, reason: str) -> None:
    (fault,) = folder.read(content).faults
    assert fault.reason.startswith(reason)


def test_one_bad_value_hides_no_other(folder: Folder) -> None:
    reading = folder.read(
        f"""
        projects:
          - {{name: main, api: gemini, key: hidden, base_url: nowhere}}
          - {MAIN}
        models:
          a: {{aliases: [b], projects: [mian]}}
          b: {{alias: c}}
        tenants: 5
        """
    )
    assert {(fault.path, fault.source.rpartition(":")[2]) for fault in reading.faults} == {
        ("projects[0].key", "3"),
        ("projects[0].base_url", "3"),
        ("projects[1].name", "4"),
        ("models.a.aliases[0]", "6"),
        ("models.a.projects[0]", "6"),
        ("models.b.alias", "7"),
        ("tenants", "8"),
    }


def test_a_misspelled_project_is_answered_with_its_neighbour(folder: Folder) -> None:
    (fault,) = folder.read(beside("models: {a: {projects: [mian]}}")).faults
    assert fault.remedy == "did you mean main?"


def test_a_key_of_the_other_api_is_answered_with_that_api(folder: Folder) -> None:
    (fault,) = folder.read(gemini("location: global")).faults
    assert fault.remedy == "remove it: it belongs to projects with api: vertex"


def test_a_literal_key_is_answered_with_how_to_refer_to_one(folder: Folder) -> None:
    (fault,) = folder.read(key("hidden")).faults
    assert fault.value == "****"
    assert "{file: PATH}" in fault.remedy
    assert "{env: NAME}" in fault.remedy
