"""Training from the command line: it learns, writes down what it does, and survives anything."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import train
from disks import full
from pictures import picture
from tintype import merge
from tintype.errors import UsageError
from torch_model import checkpoint, config as configs, journal, run as runs, textures, weights
from torch_model.batches import Batch, Chosen, Part
from torch_model.coherence import unevenness
from torch_model.config import TrainConfig
from torch_model.losses import LOSSES, Loss
from torch_model.model import NetworkConfig, UNet, Variant, Vivid, build, initialize
from torch_model.validation import Validation

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
WITNESS = Path(__file__).with_name("witness.py")
SMALL = ["--size", "16", "--batch", "8", "--threads", "1", "--no-tensorboard", "--device", "cpu"]
EVERYTHING = [
    *("--optimizer", "adamw", "--schedule", "cosine", "--warmup", "2", "--ema", "0.9", "--clip", "1"),
    *("--precision", "bf16", "--center-lightness", "--norm", "--weight-decay", "0.01"),
]
VIVID = ["--model", "vivid", "--loss", "bins"]
FUSION = ["--model", "fusion", "--classifier-weights", "random", "--classifier-side", "32"]
UNET = ["--model", "unet", "--loss", "bins", "--classifier-weights", "random", "--size", "32"]
CRITIC = [
    *("--critic-share", "0.5", "--critic-weights", "random"),
    *("--critic", "efficientnet_lite0", "efficientnet_lite1"),
]
WHOLE = torch.ones(1, dtype=torch.bool)
RECIPES = {
    "classic": EVERYTHING,
    "vivid": [*EVERYTHING, *VIVID, "--precision", "fp32"],
}


@pytest.fixture
def options(folder: Path, tmp_path: Path) -> list[str]:
    """Return options of a small run on 24 photographs, in a folder of the test."""
    places = ["--data", str(folder), "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "run")]
    return [*SMALL, *places]


def start(
    options: Sequence[str], program: Path = ROOT / "train.py", **environment: str
) -> subprocess.Popen[str]:
    """Start train.py, or what watches it, as a process of its own."""
    return subprocess.Popen(
        [sys.executable, str(program), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def states(folder: Path) -> dict[str, Any]:
    """Return the last checkpoint of a run, without what time does to it."""
    state, complaints = checkpoint.latest(folder / "checkpoints")
    assert state is not None
    assert not complaints
    return {name: value for name, value in state.items() if name not in ("seconds", "config")}


def assert_same(first: Any, second: Any) -> None:
    """Compare nested plain types and tensors, bit for bit."""
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for name in first:
            assert_same(first[name], second[name])
    elif isinstance(first, list):
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    else:
        assert first == second


def test_recipe_of_the_original() -> None:
    """Without options training is the original's recipe."""
    recipe = TrainConfig()
    assert (recipe.model, recipe.size, recipe.batch, recipe.epochs) == ("classic", 256, 100, 5000)
    assert (recipe.loss, recipe.optimizer, recipe.lr, recipe.initializer) == (
        "mse",
        "rmsprop",
        1e-3,
        "glorot",
    )
    assert (recipe.rotation, recipe.zoom, recipe.flip) == (20.0, 0.2, True)
    assert (recipe.network.l_center, recipe.network.l_scale, recipe.network.norm) == (0.0, 1.0, False)


def test_writes_down_what_it_does(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run says what it will do, and leaves config, table, plot, sheets and checkpoints."""
    assert train.main([*options, "--epochs", "4", "--eval-every", "6", "--log-every", "3"]) == 0
    said = capsys.readouterr().out
    assert "23 photographs to train on, 1 to validate with; 12 steps of 8" in said
    assert said.index(" left, by one step") < said.index("step 3/12")
    folder = tmp_path / "run"
    rows = journal.read(folder / "log.csv")
    assert [int(row["step"]) for row in rows] == [3, 6, 9, 12]
    assert [bool(row["val_psnr"]) for row in rows] == [False, True, False, True]
    for name in ("config.json", "loss.png", "sheets/step-0000006.png", "checkpoints/step-0000012.pt"):
        assert (folder / name).is_file()
    assert json.loads((folder / "config.json").read_text())["size"] == 16


@pytest.mark.parametrize("apart", [False, True])
def test_resized_crops(options: list[str], tmp_path: Path, folder: Path, *, apart: bool) -> None:
    """Photographs to be cut are kept larger; validation shows them whole, at the training size."""
    held = ["--val", str(folder)] if apart else []
    cut = ["--resized-crop", "0.5", "--steps", "2", "--eval-every", "1", *held]
    assert train.main([*options, *cut]) == 0
    sides = {np.load(path, mmap_mode="r").shape[1] for path in (tmp_path / "cache").rglob("photos.npy")}
    assert sides == ({16, 32} if apart else {32})
    validation = Validation(Chosen.every(np.zeros((2, 32, 32, 3), np.uint8)), 16, "fp32", torch.device("cpu"))
    assert validation.pixels.shape == (2, 16, 16, 3)


@pytest.mark.parametrize(
    "model", [[], VIVID, [*FUSION, "--cached-embeddings"]], ids=["classic", "vivid", "fusion"]
)
def test_learns(options: list[str], tmp_path: Path, model: list[str]) -> None:
    """On a handful of photographs the loss falls to less than a half."""
    run = [
        *options,
        *model,
        "--steps",
        "60",
        "--limit",
        "4",
        "--lr",
        "3e-4",
        "--optimizer",
        "adamw",
        "--log-every",
        "10",
    ]
    assert (
        train.main([*run, "--initializer", "he", "--center-lightness", "--rotation", "0", "--zoom", "0"]) == 0
    )
    losses = [float(row["loss"]) for row in journal.read(tmp_path / "run" / "log.csv")]
    assert losses[-1] < losses[0] / 2


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_killed_and_resumed_equals_uninterrupted(options: list[str], tmp_path: Path, recipe: str) -> None:
    """Killed with SIGKILL in a random step, the same command ends with the same tensors, bit for bit."""
    long = [*options, *RECIPES[recipe], "--steps", "24", "--checkpoint-every", "2", "--eval-every", "8"]
    with start([*long, "--out", str(tmp_path / "whole")]) as process:
        said = process.communicate(timeout=120)[0]
        assert process.returncode == 0, said

    wanted = random.Random(os.getpid()).randrange(4, 20)  # noqa: S311 - no secret
    with start(long, WITNESS, WITNESS=str(tmp_path), VICTIM=f"0:{wanted}") as process:
        said = process.communicate(timeout=120)[0]
        assert process.returncode == -signal.SIGKILL, said
    assert states(tmp_path / "run")["step"] == wanted // 2 * 2
    with start(long) as process:
        said = process.communicate(timeout=120)[0]
        assert process.returncode == 0, said
    assert "from step 0" not in said
    assert_same(states(tmp_path / "whole"), states(tmp_path / "run"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_with_a_checkpoint(options: list[str], tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM stop at once with a checkpoint, and say that the same command goes on."""
    process = start([*options, "--steps", "100000", "--log-every", "1"])
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 3/"):
            process.send_signal(number)
            break
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 128 + number
    assert "the same command goes on" in said
    assert states(tmp_path / "run")["step"] >= 3


def test_max_hours(options: list[str], tmp_path: Path) -> None:
    """--max-hours ends a run cleanly with a checkpoint; more time goes on from there."""
    assert train.main([*options, "--steps", "4", "--max-hours", "0.0000001"]) == 0
    first = states(tmp_path / "run")["step"] if list((tmp_path / "run").glob("checkpoints/*.pt")) else 0
    assert train.main([*options, "--steps", "4", "--max-hours", "1"]) == 0
    assert first < states(tmp_path / "run")["step"] == 4


def test_finished_run_is_not_repeated(options: list[str], tmp_path: Path) -> None:
    """The same command on a finished run changes nothing."""
    assert train.main([*options, "--steps", "3"]) == 0
    before = states(tmp_path / "run")
    assert train.main([*options, "--steps", "3"]) == 0
    assert_same(before, states(tmp_path / "run"))


def test_training_on_a_full_disk(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run whose checkpoint cannot be written says so in a line; it goes on when it can."""
    assert train.main([*options, "--steps", "4"]) == 0
    capsys.readouterr()
    with full(1_000_000):
        assert train.main([*options, "--steps", "6"]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(
        "cannot be written: File too large; the same command goes on from the last checkpoint"
    )
    assert train.main([*options, "--steps", "6"]) == 0
    assert "from step 4" in capsys.readouterr().out


def test_leftovers_of_killed_runs_go(options: list[str], tmp_path: Path) -> None:
    """What a killed run left half-written in its folder is gone once the same command goes on."""
    left = tmp_path / "run" / "checkpoints" / ".tintype-0123456789ab.partial"
    left.parent.mkdir(parents=True)
    left.write_bytes(np.zeros(10).tobytes())
    assert train.main([*options, "--steps", "1"]) == 0
    assert not left.exists()


def test_damaged_checkpoint(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A damaged last checkpoint falls back to the one before, and that is said."""
    assert train.main([*options, "--steps", "4", "--checkpoint-every", "2"]) == 0
    last = checkpoint.path_of(tmp_path / "run" / "checkpoints", 4)
    last.write_bytes(last.read_bytes()[:-1000])
    assert train.main([*options, "--steps", "4", "--checkpoint-every", "2"]) == 0
    said = capsys.readouterr().out
    assert "falling back to the checkpoint before it" in said
    assert "from step 2" in said
    assert states(tmp_path / "run")["step"] == 4


def test_divergence_keeps_the_last_good_state(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss that is no number ends training with exit code 1 and a message; the good state stays."""
    assert train.main([*options, "--steps", "2"]) == 0
    monkeypatch.setitem(LOSSES, "mse", lambda predicted, _ab: predicted.sum() * float("nan"))
    assert train.main([*options, "--steps", "6", "--log-every", "1"]) == 1
    assert "nan at step 3" in capsys.readouterr().err
    state = states(tmp_path / "run")
    assert state["step"] == 2
    assert all(torch.isfinite(value).all() for value in state["model"].values())


def test_another_config_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Another config in the same folder is refused with the fields that differ; more epochs are not."""
    assert train.main([*options, "--epochs", "1"]) == 0
    assert train.main([*options, "--epochs", "2", "--log-every", "5"]) == 0
    assert train.main([*options, "--lr", "0.5"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("train.py: ")
    assert "lr: 0.001 there, 0.5 here" in error


def test_changed_photographs_are_refused(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run whose photographs have changed is not gone on with: its split would no longer hold."""
    place = tmp_path / "own"
    place.mkdir()
    for seed in range(4):
        picture(seed).save(place / f"{seed}.png")
    own = [*options, "--data", str(place), "--steps", "1"]
    assert train.main(own) == 0
    picture(9).save(place / "9.png")
    assert train.main(own) == 2
    assert "the photographs themselves have changed" in capsys.readouterr().err


def test_foreign_folder_is_refused(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with another program's config.json is left alone."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"model_type": "bert"}')
    assert train.main([*options, "--steps", "1"]) == 2
    assert "not of this program" in capsys.readouterr().err
    assert (tmp_path / "run" / "config.json").read_text() == '{"model_type": "bert"}'


def test_checkpoints_alone_are_entered_by_their_own_run(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where config.json is gone, checkpoints tell whose folder it is: another run leaves it as it was."""
    place = tmp_path / "run"
    for steps in ("1", "2"):  # resumed once, after which a checkpoint still tells the run's own options
        assert train.main([*options, "--steps", steps, "--critic-weights", "none.pth"]) == 0
    (place / "config.json").unlink()
    assert train.main([*options, "--steps", "3", "--critic-weights", "none.pth", "--loss", "l1"]) == 2
    assert "run holds another run (loss: mse there, l1 here)" in capsys.readouterr().err
    assert not (place / "config.json").exists()
    assert train.main([*options, "--steps", "3", "--critic-weights", "none.pth"]) == 0
    assert states(place)["step"] == 3


def test_checkpoints_after_damaged_ones_stay(tmp_path: Path) -> None:
    """After a fallback new checkpoints stay, though damaged ones bear higher steps."""
    for step in (5, 9, 10):
        checkpoint.save(tmp_path, step, {"best": None}, None)
    for step in (9, 10):
        checkpoint.path_of(tmp_path, step).write_bytes(b"damaged")
    state, complaints = checkpoint.latest(tmp_path)
    assert len(complaints) == 2
    assert state is None  # 5 was dropped when 10 was saved
    checkpoint.save(tmp_path, 6, {"best": None}, None)
    assert checkpoint.path_of(tmp_path, 6).is_file()


def test_folder_of_a_run_follows_from_its_options() -> None:
    """Without --out, equal options name the same folder, others another; logging does not matter."""
    assert TrainConfig().folder == TrainConfig(log_every=7, epochs=3).folder
    assert TrainConfig().folder != TrainConfig(seed=1).folder
    assert TrainConfig().folder.name.startswith("classic-")


def test_checkpoints_are_plain_and_few(options: list[str], tmp_path: Path) -> None:
    """Of many checkpoints the last two and the best stay; all are plain types."""
    assert train.main([*options, "--steps", "10", "--checkpoint-every", "1", "--eval-every", "2"]) == 0
    folder = tmp_path / "run" / "checkpoints"
    best = states(tmp_path / "run")["best"][0]
    kept = {int(path.stem.split("-")[1]) for path in folder.iterdir()}
    assert kept == {9, 10, best}
    assert torch.load(checkpoint.path_of(folder, 10), weights_only=True)["step"] == 10


def test_start_from_weights(options: list[str], tmp_path: Path) -> None:
    """--init starts from the weights of another run, here a checkpoint's averaged ones."""
    assert train.main([*options, "--steps", "2", "--ema", "0.5"]) == 0
    state = states(tmp_path / "run")
    path = checkpoint.path_of(tmp_path / "run" / "checkpoints", 2)
    config = TrainConfig(init=str(path), size=16, norm=True)
    with pytest.raises(UsageError, match="set --center-lightness"):
        runs.Run.start(TrainConfig(init=str(path), center_lightness=True), torch.device("cpu"))
    assert runs.Run.start(config, torch.device("cpu")).model.config.norm
    config = TrainConfig(init=str(tmp_path / "run"), size=16)
    network = runs.Run.start(config, torch.device("cpu")).model
    assert_same(dict(network.state_dict()), dict(state["ema"]))


def fusion_config(**options: Any) -> TrainConfig:
    """Return the config of a small fusion run."""
    return TrainConfig(
        model="fusion", classifier_weights="random", classifier_side=32, center_lightness=True, **options
    )


@pytest.mark.parametrize(
    "model", [[*FUSION, "--center-lightness"], [*UNET, *CRITIC, "--coherence", "1"]], ids=["fusion", "unet"]
)
def test_classifiers_resume(options: list[str], tmp_path: Path, model: list[str]) -> None:
    """Stopped and gone on with, a run with a classifier, or two, ends with the same tensors, bit for bit."""
    run = [*options, *model, "--finetune-classifier", "--optimizer", "adamw", "--ema", "0.9"]
    assert train.main([*run, "--steps", "4", "--out", str(tmp_path / "whole")]) == 0
    assert train.main([*run, "--steps", "2"]) == 0
    assert train.main([*run, "--steps", "4"]) == 0
    whole, resumed = states(tmp_path / "whole"), states(tmp_path / "run")
    assert_same(*({**state, "best": None} for state in (whole, resumed)))  # validated at other steps


def test_frozen_classifier_stays(options: list[str], tmp_path: Path) -> None:
    """Training changes no weight of the classifier, or with --finetune-classifier its last ones alone."""
    torch.manual_seed(0)
    untrained = runs.Run.start(fusion_config(), torch.device("cpu")).model
    weights.save(untrained, tmp_path / "start.safetensors")
    run = [*options, "--model", "fusion", "--classifier-side", "32", "--center-lightness", "--steps", "2"]
    run += ["--init", str(tmp_path / "start.safetensors")]
    assert train.main([*run, "--out", str(tmp_path / "frozen")]) == 0
    assert train.main([*run, "--out", str(tmp_path / "tuned"), "--finetune-classifier"]) == 0
    before = untrained.state_dict()
    frozen, tuned = (
        {
            key
            for key, value in states(tmp_path / name)["model"].items()
            if not torch.equal(value, before[key])
        }
        for name in ("frozen", "tuned")
    )
    assert "mix.weight" in frozen
    assert not any(key.startswith("classifier") for key in frozen)
    assert "classifier.trunk._conv_head.weight" in tuned
    assert "classifier.trunk._conv_stem.weight" not in tuned


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "classic", "cached_embeddings": True}, "goes with --model fusion"),
        (
            {"model": "fusion", "cached_embeddings": True, "finetune_classifier": True},
            "unchanging classifier",
        ),
        ({"model": "fusion", "classifier_side": 8}, "--classifier-side 8: wanted is from 32"),
        ({"model": "fusion", "loss": "bins"}, "vivid and unet take bins"),
    ],
)
def test_fusion_options_that_cannot_work(options: dict[str, Any], words: str) -> None:
    """Options that do not go together are refused in words."""
    with pytest.raises(ValueError, match=words):
        TrainConfig(**options)


def test_start_fusion_from_what_does_not_fit(tmp_path: Path) -> None:
    """Fusion starts from fusion of the same classifier and embedding alone, at any size."""
    weights.save(build(NetworkConfig()), tmp_path / "classic.safetensors")
    with pytest.raises(UsageError, match="shares no layer with fusion"):
        runs.Run.start(fusion_config(init=str(tmp_path / "classic.safetensors")), torch.device("cpu"))
    source = runs.Run.start(fusion_config(), torch.device("cpu")).model
    path = tmp_path / "fusion.safetensors"
    weights.save(source, path)
    with pytest.raises(UsageError, match="takes pooled of efficientnet_lite0, this run logits"):
        runs.Run.start(fusion_config(init=str(path), embedding="logits"), torch.device("cpu"))
    config = replace(fusion_config(init=str(path)), classifier_side=64)
    found = runs.Run.start(config, torch.device("cpu")).model
    assert_same(dict(found.state_dict()), dict(source.state_dict()))
    assert found.config.classifier_side == 64


@pytest.mark.parametrize("model", ["classic", "vivid"])
def test_start_from_another_network(
    tmp_path: Path, model: Variant, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between networks the body alone is taken, which is said; the head and the calibration start anew."""
    source: Variant = "classic" if model == "vivid" else "vivid"
    start_from = build(NetworkConfig(source, l_center=0, l_scale=1))
    initialize(start_from, "he", 5)
    weights.save(start_from, tmp_path / "source.safetensors")
    loss: Loss = "bins" if model == "vivid" else "mse"
    config = TrainConfig(model=model, loss=loss, seed=3, norm=True)
    begun = runs.Run.start(replace(config, init=str(tmp_path / "source.safetensors")), torch.device("cpu"))
    assert f"is {source}: {model}'s head starts from the seed" in capsys.readouterr().out
    found, fresh = begun.model.state_dict(), runs.Run.start(config, torch.device("cpu")).model.state_dict()
    for name, value in start_from.state_dict().items():
        if name.startswith(("encoder", "decoder")):
            assert torch.equal(found[name], value), name
    assert all(torch.equal(found[name], fresh[name]) for name in ("head.weight", "head.bias", "l_scale"))


def test_target_chroma() -> None:
    """With --target-chroma 2 the right answer is twice the photograph's ab."""
    begun = runs.Run.start(TrainConfig(size=16, target_chroma=2), torch.device("cpu"))
    ab = torch.full((1, 2, 16, 16), 20.0)
    part = Part(Batch((torch.full((1, 1, 16, 16), 50.0),), ab, WHOLE), 1.0, last=True)
    losses = [train.learn(begun, lambda _, n=times: (n * ab).requires_grad_(), part) for times in (1, 2)]
    assert losses[0] > 0
    assert losses[1] == train.taught(begun.config)(2 * ab, ab) == 0  # as validation has it


def test_coherence() -> None:
    """With --coherence an answer's gradient makes places of one true color more even than the loss alone."""
    ab = torch.full((1, 2, 48, 48), 20.0)
    ab[..., 24:] = -20
    given = ab + 5 * torch.randn(ab.shape, generator=torch.Generator().manual_seed(0))
    part = Part(Batch((torch.full((1, 1, 48, 48), 50.0),), ab, WHOLE), 1.0, last=True)
    left = []
    for share in (0.0, 1.0, 4.0):
        begun = runs.Run.start(TrainConfig(size=48, coherence=share), torch.device("cpu"))
        answer = given.clone().requires_grad_()
        train.learn(begun, lambda _, answer=answer: answer, part)
        assert answer.grad is not None
        left.append(unevenness(given - 50 * answer.grad / answer.grad.norm(), ab).item())
    assert left[0] > 1.1 * left[1] > 1.13 * left[2]


def test_surfaces() -> None:
    """A surface counts for several photographs in the loss, and a critic says nothing of it."""
    config = TrainConfig(size=64, textures=0.5, critic_share=1, critic_weights="random")
    begun = runs.Run.start(config, torch.device("cpu"))
    ab = torch.full((2, 2, 64, 64), 20.0)
    batch = Batch((torch.full((2, 1, 64, 64), 50.0),), ab, torch.tensor([True, False]))
    wrong = [ab.clone(), ab.clone()]
    for number, answer in enumerate(wrong):
        answer[number] += 10
    photo, surface = (train.weighed(config, answer, batch).item() for answer in wrong)
    assert surface == pytest.approx(textures.WEIGHT * photo)

    answer = (ab + 10).requires_grad_()
    (objection,), _ = train.object_to(begun, answer, Part(batch, 1.0, last=True))
    (gradient,) = torch.autograd.grad(objection.value, answer)
    assert gradient[0].abs().max() > 0
    assert gradient[1].abs().max() == 0


def test_start_from_vivid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--init from vivid to vivid takes head and shift; temperature and gain are the run's."""
    source = Vivid(NetworkConfig("vivid", temperature=0.7, gain=1.2))
    initialize(source, "he", 5)
    source.shift.fill_(2)
    weights.save(source, tmp_path / "source.safetensors")
    config = TrainConfig(
        model="vivid", loss="bins", center_lightness=True, init=str(tmp_path / "source.safetensors")
    )
    begun = runs.Run.start(config, torch.device("cpu")).model
    assert not capsys.readouterr().out
    assert torch.equal(begun.head.weight, source.head.weight)
    assert begun.config == NetworkConfig("vivid")
    assert isinstance(begun, Vivid)
    assert torch.equal(begun.shift, source.shift)


def test_start_leaves_a_refinement_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--init from a refined network says that what refines is to be taught anew, and takes the rest."""
    source = refined(tmp_path / "source.safetensors")
    config = TrainConfig(
        model="unet", loss="bins", center_lightness=True, init=str(tmp_path / "source.safetensors")
    )
    begun = runs.Run.start(config, torch.device("cpu")).model
    assert "its refinement is left out; keep it by --refinement 4, or teach it" in capsys.readouterr().out
    assert begun.config.refinement == 0
    assert torch.equal(begun.head.weight, source.head.weight)


def refined(path: Path) -> UNet:
    """Write the weights of a network with a refinement of 4 channels, by a seed; return it."""
    network = build(NetworkConfig("unet", classifier="efficientnet_lite0", refinement=4))
    assert isinstance(network, UNet)
    initialize(network, "he", 5)
    assert network.refinement is not None
    torch.manual_seed(5)
    torch.nn.init.normal_(network.refinement.last.weight, std=0.1)
    weights.save(network, path)
    return network


def test_refinement_is_kept(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--refinement takes over what --init has: the rest learns beside it, and goes on without the file."""
    source = refined(tmp_path / "source.safetensors")
    line = [*options, *UNET, "--init", str(tmp_path / "source.safetensors"), "--center-lightness", *CRITIC]
    adamw = ["--optimizer", "adamw", "--weight-decay", "0.1", "--ema", "0.9"]
    for steps in ("1", "2"):
        assert train.main([*line, *adamw, "--refinement", "4", "--steps", steps]) == 0
        (tmp_path / "source.safetensors").unlink(missing_ok=True)
    assert "left out" not in capsys.readouterr().out
    made = weights.load(tmp_path / "run")
    before = {name: v for name, v in source.state_dict().items() if name.startswith("refinement.")}
    assert before
    assert all(torch.equal(made.state_dict()[name], v) for name, v in before.items())
    assert not torch.equal(made.head.weight, source.head.weight)


def test_refinement_that_is_not_there(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What --init does not bring was never taught: it is refused."""
    with_one, without = tmp_path / "with.safetensors", tmp_path / "without.safetensors"
    refined(with_one)
    weights.save(build(NetworkConfig("unet", classifier="efficientnet_lite0")), without)
    starts = {
        "has a refinement of 4 channels: set --refinement 4": ["--init", str(with_one)],
        "has no refinement: set --refinement 0": ["--init", str(without)],
        "--refinement is taken over from --init: name a file that has one": [],
    }
    own = [*options, *UNET, "--center-lightness", "--refinement", "8", "--steps", "1"]
    for number, (words, given) in enumerate(starts.items()):
        assert train.main([*own, *given, "--out", str(tmp_path / f"run-{number}")]) == 2
        assert words in capsys.readouterr().err


def test_shown_is_what_ships(tmp_path: Path) -> None:
    """A critic sees color as the graph gives it; where that is refined, as the runtime merges it."""
    refined(tmp_path / "source.safetensors")
    config = TrainConfig(
        model="unet", loss="bins", center_lightness=True, init=str(tmp_path / "source.safetensors")
    )
    lightness = 100 * torch.rand((1, 1, 32, 64), generator=torch.Generator().manual_seed(1))
    for refinement, half in ((0, False), (4, False), (4, True)):
        changed = replace(config, refinement=refinement, precision="bf16" if half else "fp32")
        run = runs.Run.start(changed, torch.device("cpu"))
        with torch.no_grad():
            answer = run.model(lightness)
            expected = run.model.decode(answer, lightness)[0]
            made = train.shown(run, answer, lightness)
        if refinement:
            lines = merge.Lines(merge.fit(lightness[0, 0].numpy(), expected[0].numpy()), 64, 32)
            expected = torch.from_numpy(np.stack(lines.along(lightness[0, 0].numpy(), 0)))[None]
        spread = (made - expected).abs().max() / expected.abs().max()
        assert spread < (0.05 if half else 1e-4)


def test_start_of_an_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--init from a network without an agreement begins one, and says so; none is left out."""
    source = build(NetworkConfig("unet", classifier="efficientnet_lite0"))
    initialize(source, "he", 5)
    weights.save(source, tmp_path / "source.safetensors")
    config = TrainConfig(
        model="unet",
        loss="bins",
        center_lightness=True,
        agreement=8,
        init=str(tmp_path / "source.safetensors"),
    )
    begun = runs.Run.start(config, torch.device("cpu")).model
    assert "has no agreement: it begins as" in capsys.readouterr().out
    assert isinstance(begun, UNet)
    assert begun.agreement is not None
    assert torch.equal(begun.agreement.view.weight[..., 0, 0], torch.eye(128))
    assert torch.equal(begun.head.weight, source.head.weight)
    weights.save(begun, tmp_path / "source.safetensors")
    again = runs.Run.start(config, torch.device("cpu")).model
    assert not capsys.readouterr().out
    assert again.config.agreement == 8
    with pytest.raises(UsageError, match="set --agreement 8"):
        runs.Run.start(replace(config, agreement=0), torch.device("cpu"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--agreement", "24"], "--agreement does not go with --model classic"),
        (["--refinement", "48"], "--refinement does not go with --model classic"),
        (["--model", "vivid"], "--loss mse does not go with --model vivid"),
        (["--loss", "bins"], "--loss bins does not go with --model classic"),
        (["--model", "unet", "--loss", "bins", "--dilation", "2"], "--dilation does not go with"),
        (["--size", "20"], "--size 20 is not a multiple of 8"),
        (["--batch", "0"], "--batch 0: wanted is at least 1"),
        (["--lr", "-1"], "--lr -1.0: wanted is from"),
        (["--warmup", "-5"], "--warmup -5: wanted is at least 0"),
        (["--threads", "-1"], "--threads -1: wanted is at least 1"),
        (["--data", "torchvision:cifar"], "torchvision"),
        (["--init", "nowhere.pt"], "there is no model nowhere.pt"),
        (["--data", "nowhere"], "there is no nowhere"),
        (["--device", "cuda:99"], "--device cuda:99 cannot be used"),
        (["--list", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_wrong_options(
    options: list[str], wrong: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options that cannot work are refused in one line, with exit code 2."""
    assert train.main([*options, *wrong]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len([line for line in error if not line.startswith("decoding photographs")]) == 1
    assert error[-1].startswith("train.py: ")
    assert words in error[-1]


def test_every_option_reaches_the_config() -> None:
    """The config comes back from its own options and from JSON."""
    import argparse

    parser = argparse.ArgumentParser()
    configs.add_options(parser)
    parsed = configs.from_options(parser.parse_args(["--data", "a", "b", "--no-flip", "--max-hours", "1.5"]))
    assert parsed == TrainConfig(data=("a", "b"), flip=False, max_hours=1.5)
    assert TrainConfig.from_dict(json.loads(json.dumps(parsed.to_dict()))) == parsed


def test_earlier_critic() -> None:
    """A run begun when a critic had but one classifier is the same run, and its critic comes back."""
    earlier = TrainConfig(size=64, critic_share=1, critic_weights="random").to_dict()
    config = TrainConfig.from_dict(earlier | {"critic": "efficientnet_lite0"})
    assert config.to_dict() == earlier
    run, other = (runs.Run.start(replace(config, seed=seed), torch.device("cpu")) for seed in (1, 2))
    (critic,), (found,) = run.critics, other.critics
    state = {
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "step": 3,
        "seconds": 1.0,
    }
    one = {"critic": critic.state_dict(), "critic_optimizer": critic.optimizer.state_dict(), "best": None}
    other.restore(state | one)
    assert all(map(torch.equal, found.state_dict().values(), critic.state_dict().values()))


def test_learning_rate() -> None:
    """The rate rises in a line and falls as a half cosine to nothing, or stays."""
    from torch_model.optim import learning_rate

    cosine = TrainConfig(lr=2.0, warmup=10, schedule="cosine")
    assert learning_rate(cosine, 0, 110) == pytest.approx(0.2)
    assert learning_rate(cosine, 10, 110) == pytest.approx(2.0)
    assert learning_rate(cosine, 60, 110) == pytest.approx(1.0)
    assert learning_rate(cosine, 110, 110) == pytest.approx(0.0)
    assert learning_rate(TrainConfig(), 4000, 5000) == pytest.approx(1e-3)


def test_unknown_device() -> None:
    """A device that torch does not know is refused."""
    with pytest.raises(UsageError):
        runs.pick_device("abacus")


def test_average_forgets_the_first_weights() -> None:
    """Averaged weights are near the current ones soon, however slowly they are to follow them later."""
    config = TrainConfig(ema=0.999, size=16)
    run = runs.Run.start(config, torch.device("cpu"))
    assert run.ema is not None
    with torch.no_grad():
        run.model.head.weight.fill_(1.0)  # where it stays
    for _ in range(50):
        run.ema.update_parameters(run.model)
    assert (run.judged.head.weight - 1).abs().max() < 1e-3
