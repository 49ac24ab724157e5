"""No credential in anything that could be printed."""

import json
import pickle

from sidecar.config.faults import ConfigError
from sidecar.config.files import FileReader
from sidecar.config.load import Configuration, Flags, load
from sidecar.config.policy_schema import PolicySchema
from sidecar.config.references import Sources
from sidecar.config.show import effective
from sidecar.config.sources import Flag
from tests.unit.config.builders import KEY, SCOPE, Folder

POLICY = """
projects:
  - {name: file, api: gemini, key: {file: $/key}}
  - {name: variable, api: gemini, key: {env: MY_KEY}}
  - {name: eu, api: vertex, project: p, credentials: {file: $/sa.json}}
"""


def configuration(folder: Folder) -> Configuration:
    folder.read(POLICY)  # writes the files
    named = Flag("policy", "file", str(folder.path / "policy.yaml"), "--policy")
    return load(Flags((SCOPE, named)), {"MY_KEY": f"{KEY}-2", "OTHER": KEY})


def test_neither_repr_nor_str_has_a_key(folder: Folder) -> None:
    loaded = configuration(folder)
    source = loaded.policy_source(lambda _: None)
    for printed in (loaded, loaded.policy, loaded.files, loaded.settings, source):
        assert KEY not in repr(printed)
        assert KEY not in str(printed)


def test_no_dump_has_a_key(folder: Folder) -> None:
    loaded = configuration(folder)
    assert KEY not in str(loaded.settings.model_dump())
    assert KEY not in loaded.settings.model_dump_json()
    assert KEY not in json.dumps(effective(loaded))


def test_the_schema_of_the_file_keeps_the_reference_and_not_the_key(folder: Folder) -> None:
    key_file = folder.write("key", KEY)
    tree = {"projects": [{"name": "main", "api": "gemini", "key": {"file": str(key_file)}}]}
    schema = PolicySchema.model_validate(tree, context=Sources({}, FileReader()))
    assert KEY not in str(schema.model_dump())
    assert KEY not in repr(schema)


def test_the_effective_tree_masks_keys_and_shortens_the_digest(folder: Folder) -> None:
    loaded = configuration(folder)
    tree = effective(loaded)["policy"]
    assert [project.get("key") for project in tree["projects"]] == ["****", "****", None]
    assert loaded.policy is not None
    assert loaded.policy.digest.startswith(tree["digest"])
    assert len(tree["digest"]) == 12


def test_an_error_of_one_project_does_not_carry_the_key_of_another(folder: Folder) -> None:
    folder.read(POLICY)
    named = Flag("policy", "file", str(folder.path / "policy.yaml"), "--policy")
    try:
        load(Flags((SCOPE, named)), {})
    except ConfigError as error:
        carried = pickle.dumps(error.faults) + str(error).encode() + repr(error).encode()
    assert KEY.encode() not in carried
