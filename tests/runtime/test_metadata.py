"""The contract that a model file carries: there and back, refused where anything is missing or unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from tintype.errors import ModelContractError
from tintype.metadata import CONTRACT, Metadata, check_working_size, working_size_fault

GIVEN = Metadata("classic", "1.2", 256, "Somebody", "MIT", {"data": "photographs"}, {"psnr": 22.5})
PROPS = GIVEN.to_props()
PATH = "model.onnx"

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.text(), plain, max_size=3)


@given(
    st.builds(
        Metadata,
        model=st.from_regex(r"[\w.+-]{1,64}", fullmatch=True),
        version=st.text(),
        working_size=st.integers(8, 128).map(lambda n: 8 * n),
        author=st.text(),
        license=st.text(),
        training=objects,
        metrics=objects,
        multiple=st.sampled_from([1, 2, 4, 8]),
    )
)
def test_round_trip(metadata: Metadata) -> None:
    """Whatever metadata says comes back from its strings."""
    props = metadata.to_props()
    assert all(isinstance(value, str) for value in props.values())
    assert Metadata.from_props(props, PATH) == metadata


def test_names() -> None:
    """The keys are those of the contract."""
    names = "contract model form version multiple working_size resize training metrics"
    assert set(PROPS) == {f"tintype.{name}" for name in names.split()} | {"model_author", "model_license"}
    assert PROPS["tintype.contract"] == "1"
    assert PROPS["tintype.form"] == "ab"
    assert PROPS["tintype.resize"] == "stretch"
    assert PROPS["tintype.multiple"] == "8"


def test_other_keys() -> None:
    """What other tools wrote into the file does not disturb."""
    assert Metadata.from_props(PROPS | {"onnx.infer": "x", "tintype.later": "y"}, PATH) == GIVEN


@pytest.mark.parametrize("key", PROPS)
def test_missing(key: str) -> None:
    """Each key is needed, and the message names the file and what it lacks."""
    with pytest.raises(ModelContractError, match=key.replace(".", r"\.")) as caught:
        Metadata.from_props({name: value for name, value in PROPS.items() if name != key}, PATH)
    assert str(caught.value).startswith(f"{PATH} is not a model that this Tintype can use: ")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("found", ["2", "0", "", "one", "1.0", " 1"])
def test_other_contract(found: str) -> None:
    """Another contract is refused with what was found, what is understood and what to do."""
    with pytest.raises(ModelContractError) as caught:
        Metadata.from_props(PROPS | {"tintype.contract": found}, PATH)
    wanted = f"contract {found}, understood here is {CONTRACT}: update Tintype or the model"
    assert str(caught.value).endswith(wanted)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("form", "rgb", "its form is rgb"),
        ("resize", "crop", "its resize rule is crop"),
        ("multiple", "0", "its size multiple is 0"),
        ("multiple", "-8", "its size multiple is -8"),
        ("multiple", "eight", "cannot be read"),
        ("working_size", "", "cannot be read"),
        ("working_size", "56", "a working size of 56 is not a multiple of 8 from 64 to 1024"),
        ("working_size", "1032", "from 64 to 1024"),
        ("working_size", "100", "not a multiple of 8"),
        ("training", "{", "cannot be read"),
        ("metrics", "", "cannot be read"),
        ("metrics", "[1]", "cannot be read"),
        ("training", "null", "cannot be read"),
    ],
)
def test_not_understood(key: str, value: str, message: str) -> None:
    """A value that is none, or means something else, is refused in one line."""
    with pytest.raises(ModelContractError, match=message) as caught:
        Metadata.from_props(PROPS | {f"tintype.{key}": value}, PATH)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("size", "fits"), [(64, True), (1024, True), (72, True), (0, False), (68, False)])
def test_working_size(size: int, fits: Any) -> None:
    """A working size is a multiple of 8 from 64 to 1024."""
    assert (working_size_fault(size, 8) is None) == fits
    if fits:
        check_working_size(size, 8, PATH)
    else:
        with pytest.raises(ModelContractError, match=f"{PATH}.* {size} "):
            check_working_size(size, 8, PATH)


@pytest.mark.parametrize(
    "name", ["", "../up", "a/b", "a\\b", "two words", "line\nbreak", "\x1b[2J", "x" * 65]
)
def test_names_of_models(name: str) -> None:
    """A model's name becomes a part of files' names, and is refused where it would act as more than that."""
    with pytest.raises(ModelContractError, match="is not one of letters, digits") as caught:
        Metadata.from_props(PROPS | {"tintype.model": name}, PATH)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["tintype.training", "tintype.metrics"])
def test_bottomless(name: str) -> None:
    """Metadata that is nested without end is refused."""
    with pytest.raises(ModelContractError, match="its metadata cannot be read"):
        Metadata.from_props(PROPS | {name: '{"a":' + "[" * 200_000}, PATH)
