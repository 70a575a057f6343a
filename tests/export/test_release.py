"""A release: every form of a model, described, from tracked files alone, with the same bytes each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import skimage.data
import torch
from PIL import Image

from export import __main__ as command, cards, quantization
from export.agreement import colorized, opened
from tintype import Colorizer, models
from tintype.session import open_session
from torch_model import weights

pytestmark = pytest.mark.released

NAME = "classic"  # the smallest
FORMS = ("ab", "ab-96", "ab-fp16", "ab-int8", "rgb", "rgb-256", "rgb-512", "rgb-fp16", "rgb-int8")
AGAIN = """
import hashlib, json, sys
import onnx
from export import forms, release
from tintype import models

name, *suffixes = sys.argv[1:]
path = models.find(name)
model = onnx.load(path)
outputs = [item.name for item in model.graph.output]
found = {
    f"{name}{form.suffix}.onnx": release.content(model, form)
    for form in forms.forms(forms.described(model), outputs)
    if form.suffix in suffixes
}
found[f"{name}.safetensors"] = release.tensors(path)
print(json.dumps({name: hashlib.sha256(content).hexdigest() for name, content in found.items()}))
"""
HUB = ("ab", "ab_fp16", "ab_quantized", "model", "model_fp16", "model_quantized")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a release of one model."""
    folder = tmp_path_factory.mktemp("release")
    assert command.main(["--release", str(folder), "--models", NAME]) == 0
    return folder


def files(folder: Path) -> dict[str, Path]:
    """Return all files of a folder, by their places in it."""
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def described(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what models.json says of the files."""
    entries: dict[str, dict[str, Any]] = json.loads((folder / "models.json").read_text())["models"][NAME][
        "files"
    ]
    return entries


def test_files(released: Path) -> None:
    """All forms are there, weights for PyTorch, and the layout of Hugging Face; nothing is left over."""
    expected = {f"{NAME}/{NAME}-{form}.onnx" for form in FORMS} | {
        f"{NAME}/{NAME}.safetensors",
        "models.json",
    }
    expected |= {f"huggingface/{NAME}/onnx/{name}.onnx" for name in HUB}
    expected |= {f"huggingface/{NAME}/{name}" for name in ("README.md", "LICENSE", "model.safetensors")}
    assert set(files(released)) == expected


def test_same_bytes(released: Path) -> None:
    """Another process makes the same files, byte for byte."""
    made = subprocess.run(
        [sys.executable, "-c", AGAIN, NAME, "-ab-int8", "-rgb-fp16", "-rgb-256"],
        cwd=Path(command.__file__).parents[1],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        check=True,
        capture_output=True,
        text=True,
    )
    digests = json.loads(made.stdout)
    assert len(digests) == 4
    entries = described(released)
    assert digests == {name: entries[name]["sha256"] for name in digests}


def test_manifest_is_true(released: Path) -> None:
    """models.json says of each file what is in it."""
    entries = described(released)
    assert set(entries) == {path.name for path in (released / NAME).iterdir()}
    for name, entry in entries.items():
        path = released / NAME / name
        assert (entry["bytes"], entry["sha256"]) == (path.stat().st_size, models.sha256(path))
        if path.suffix == ".onnx":
            model = onnx.load(path)
            props = {item.key: item.value for item in model.metadata_props}
            assert (entry["opset"], entry["ir"]) == (model.opset_import[0].version, model.ir_version)
            assert entry["opset"] <= 18
            assert entry["ir"] <= 9
            assert entry["form"] == props["tintype.form"]
            assert entry["outputs"] == [item.name for item in model.graph.output]
            assert entry["precision"] == ("fp16" if "fp16" in name else "int8" if "int8" in name else "fp32")
            assert props["model_license"] == "CC-BY-NC-4.0"
            assert ("tintype.vividness" in props) == (entry["form"] == "rgb")
            assert not any(node.metadata_props for node in model.graph.node)


def test_contract_of_all_files(released: Path) -> None:
    """Inputs and outputs are float32 with the names of the contract, whatever the body computes in."""
    for path in (released / NAME).glob("*.onnx"):
        graph = onnx.load(path, load_external_data=False).graph
        signature = ["rgb", "color"] if "-rgb" in path.name else ["l", "ab"]
        assert [item.name for item in (*graph.input, *graph.output)] == signature, path
        kinds = {item.type.tensor_type.elem_type for item in (*graph.input, *graph.output)}
        assert kinds == {onnx.TensorProto.FLOAT}, path


def test_released_file_is_the_bundled_one(released: Path) -> None:
    """The ab form is the file that Tintype itself opens."""
    assert (released / NAME / f"{NAME}-ab.onnx").read_bytes() == models.find(NAME).read_bytes()


def test_pictures(released: Path) -> None:
    """Every rgb form of float32 gives the runtime's picture, to two levels; of less precision nearly so."""
    photo = np.asarray(Image.fromarray(skimage.data.coffee()).resize((256, 256)))
    expected = Colorizer(NAME, threads=1).colorize(photo).astype(int)
    for form, most in (("rgb", 2), ("rgb-256", 2), ("rgb-fp16", 4), ("rgb-int8", 30)):
        session = opened(onnx.load(released / NAME / f"{NAME}-{form}.onnx"))
        assert np.abs(expected - colorized(session, photo)).max() <= most, form


def test_fixed_lightness(released: Path) -> None:
    """The ab form of one size computes what the other does, within rounding."""
    lightness = np.random.default_rng(3).uniform(0, 100, (1, 1, 96, 96)).astype(np.float32)
    expected, _ = open_session(models.find(NAME), "cpu").run(lightness)
    (found,) = opened(onnx.load(released / NAME / f"{NAME}-ab-96.onnx")).run(None, {"l": lightness})
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("file", [f"{NAME}-rgb.onnx", f"{NAME}.safetensors"])
def test_weights_come_back(released: Path, file: str) -> None:
    """The rgb form and the file for PyTorch hold the network's weights, bit for bit."""
    expected = weights.load(models.find(NAME)).state_dict()
    found = weights.load(released / NAME / file)
    assert all(torch.equal(found.state_dict()[name], value) for name, value in expected.items())
    assert weights.training(released / NAME / file)["commit"]


def test_model_card(released: Path) -> None:
    """The page says to Hugging Face what it needs to know, names its files and leads nowhere in vain."""
    page = (released / "huggingface" / NAME / "README.md").read_text()
    assert page.startswith("---\n")
    front, text = page.removeprefix("---\n").split("\n---\n", 1)
    for line in (
        'license: "cc-by-nc-4.0"',
        'pipeline_tag: "image-to-image"',
        'library_name: "onnx"',
        "tags: ",
    ):
        assert line in front
    assert "{type: psnr, " in front
    for place in re.findall(r"`(onnx/\w+\.onnx)`", text):
        assert (released / "huggingface" / NAME / place).is_file()
    assert not re.search(r"\]\((?!https://)", text)
    assert "by-nc/4.0" in (released / "huggingface" / NAME / "LICENSE").read_text()


def test_card_s_example_runs(released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the page, as it stands there, colorizes a photograph."""
    (tmp_path / "onnx").symlink_to(released / "huggingface" / NAME / "onnx")
    Image.fromarray(skimage.data.coffee()).resize((90, 60)).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    exec(cards.EXAMPLE, {})  # noqa: S102 - what people will do with it
    expected = Colorizer(NAME, threads=1).colorize(np.asarray(Image.open("photo.jpg"))).astype(int)
    assert np.abs(expected - np.asarray(Image.open("color.png"))).max() <= 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--release", "{}", "--models", "nothing"],
            "there is no released model nothing: choose from classic",
        ),
        (["--release", "{}/file", "--models", NAME], "file"),
    ],
)
def test_refused(
    tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that is not there, and a folder that cannot be one, are refused in one line."""
    (tmp_path / "file").write_text("kept")
    assert command.main([one.format(tmp_path) for one in arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_other_weights_are_not_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ranges of other weights are refused before anything is written, with the command for new ones."""
    ranges = quantization.Ranges("0", "minmax", "", 1, {})
    monkeypatch.setattr(quantization.Ranges, "read", lambda _name: ranges)
    assert command.main(["--release", str(tmp_path), "--models", NAME]) == 2
    assert "python -m export.calibration classic" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [[], ["a.onnx"], ["a.onnx", "b.onnx", "--models", NAME], ["--release", "x", "a.onnx"]]
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Weights and a release exclude each other, and one of them is needed."""
    with pytest.raises(SystemExit) as exit_info:
        command.main(arguments)
    assert exit_info.value.code == 2
    assert "--release" in capsys.readouterr().err
