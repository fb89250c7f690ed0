import hashlib
import io
import pickle
import random
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import ResNet18_Weights, resnet18

from core.config import Config
from core.retinanet.backbone import NORM_EPS
from core.runs.checkpoint import save_checkpoint
from core.weights import pickled, state_dict
from core.weights.architecture import WeightsError
from core.weights.sources import COCO, adopt, build, load_weights
from tests.core.networks import make_state, old_layout


@pytest.fixture(scope="module")
def state():
    return make_state()


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".pth", ".pt", ".ckpt", ".PTH", ".tar"])
def test_reads_pickled_state_dicts(state, tmp_path, ending):
    path = tmp_path / f"net{ending}"
    torch.save(state, path)
    found = load_weights(str(path))
    assert found.class_names == ("class 0", "class 1", "class 2")
    known = {
        "model.depth": 18, "model.fpn_channels": 32, "model.num_convs": 1, "model.head_norm": "none",
        "model.p6_source": "c5",
    }  # fmt: skip
    assert {key: value for key, value in found.settings.items() if key not in found.assumed} == known
    assert all(torch.equal(value, found.state[key]) for key, value in state.items())


@pytest.mark.slow
def test_reads_plain_safetensors_and_half_precision(state, tmp_path):
    path = tmp_path / "net.safetensors"
    save_file({key: value.half() if value.is_floating_point() else value for key, value in state.items()}, path)
    found = load_weights(str(path))
    assert {value.dtype for value in found.state.values()} == {torch.float32, torch.int64}
    config = adopt(Config.from_flat({"anchors.ratios": (1.0,)}), found)
    assert build(config, found).num_classes == 3


RUN_BY_PICKLE = []


def run_by_pickle():
    RUN_BY_PICKLE.append(True)


class Hostile:
    def __reduce__(self):
        return (run_by_pickle, ())


def write_hostile(path):
    torch.save({"weight": Hostile()}, path)


def write_hostile_pickle(path):
    path.write_bytes(pickle.dumps({"weight": Hostile()}, protocol=2))


@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.safetensors", lambda path: None, "The weights file"),
        ("a.zip", lambda path: path.write_bytes(b"x"), "must end in .safetensors, .pth or .pt"),
        ("a.safetensors", lambda path: path.write_bytes(b"\0no such thing"), "is damaged or not a safetensors file"),
        ("a.safetensors", lambda path: path.write_bytes(b""), "is empty"),
        ("a.pth", lambda path: path.write_bytes(b""), "is empty"),
        ("a.pth", lambda path: path.write_bytes(b"PK\3\4 no archive"), "is damaged or holds more than tensors"),
        ("a.pth", write_hostile, "is damaged or holds more than tensors"),
        ("a.pth", write_hostile_pickle, "is a pickle that PyTorch did not write"),
        ("a.pth", partial(torch.save, [1, 2]), "holds no state dict"),
        ("a.pth", partial(torch.save, {}), "holds no state dict"),
        ("a.pth", partial(torch.save, {"step": 3}), "holds more than ordinary tensors ('step')"),
        ("a.pth", partial(torch.save, {1: torch.zeros(1)}), "holds more than ordinary tensors (1)"),
        ("a.pth", partial(torch.save, {"a": torch.zeros(2).to_sparse()}), "holds more than ordinary tensors ('a')"),
        ("a.pth", partial(torch.save, {"a": torch.zeros(2, device="meta")}), "holds more than ordinary tensors ('a')"),
        ("a.pth", partial(torch.save, {"a": torch.tensor([1.0, torch.nan])}), "values in a that are not finite"),
        ("a.pth", partial(torch.save, {"a": torch.tensor(1e300, dtype=torch.float64)}), "values in a that are not"),
        ("a.pth", partial(torch.save, {"a": torch.zeros(1).expand(10**12)}), "holds 4000.0 GB; at most 2 GB"),
        ("a.pth", partial(torch.save, {"a": torch.zeros(1)}), "does not look like a RetinaNet: missing key"),
        ("a.safetensors", partial(save_file, {"a": torch.zeros(1)}), "does not look like a RetinaNet: missing key"),
    ],
)
def test_other_files_are_refused(tmp_path, name, write, message):
    path = tmp_path / name
    write(path)
    with pytest.raises(WeightsError) as error:
        load_weights(str(path))
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert not RUN_BY_PICKLE


def test_a_run_s_checkpoint_is_refused(tmp_path):
    save_checkpoint(tmp_path / "checkpoint.safetensors", {"model": {"a": torch.zeros(1)}})
    with pytest.raises(WeightsError) as error:
        load_weights(str(tmp_path / "checkpoint.safetensors"))
    assert str(error.value) == (
        f"{tmp_path / 'checkpoint.safetensors'} is the checkpoint of a run, to resume it: choose the file "
        "weights.safetensors beside."
    )


def test_a_large_pickle_is_refused_before_it_is_read(tmp_path, state, monkeypatch):
    torch.save({"state_dict": state, "log": "x" * 1000}, tmp_path / "net.pth")
    monkeypatch.setattr(pickled, "MAX_PICKLE", 1000)
    monkeypatch.setattr(torch, "load", lambda *arguments, **options: pytest.fail("it was read"))
    with pytest.raises(WeightsError, match=r"net\.pth holds too much beside its tensors"):
        load_weights(str(tmp_path / "net.pth"))


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_truncated_files_are_refused(tmp_path, ending):
    path = tmp_path / f"net{ending}"
    {".pth": torch.save, ".safetensors": save_file}[ending]({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match="is damaged"):
        load_weights(str(path))


def test_files_that_are_or_unpack_too_large_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(state_dict, "MAX_BYTES", 1_000_000)
    bomb, large = tmp_path / "bomb.pth", tmp_path / "large.safetensors"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(3_000_000))
    large.write_bytes(bytes(1_000_001))
    assert bomb.stat().st_size < 10_000
    for path in (bomb, large):
        with pytest.raises(WeightsError, match="GB are read"):
            load_weights(str(path))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Returns the folder of cached downloads."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "home" / "hub" / "checkpoints"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve(tmp_path):
    """Starts a local HTTP server; yields a function that publishes a file and returns its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever).start()

    def publish(name, content):
        (folder / name).write_bytes(content)
        return f"http://127.0.0.1:{server.server_port}/{name}"

    yield publish
    server.shutdown()
    server.server_close()


@pytest.fixture
def publish(serve, monkeypatch):
    """Returns a function that points a member of torchvision's weights to a state dict on the local server."""

    def publish(member, state, *, file_hash=None):
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getvalue()
        file_hash = file_hash or hashlib.sha256(content).hexdigest()[:8]
        monkeypatch.setattr(member.value, "url", serve(f"made-{file_hash}.pth", content))

    return publish


@pytest.mark.slow
@pytest.mark.parametrize(("name", "eps"), [("coco", 0.0), ("coco_v2", NORM_EPS)])
def test_coco_weights_are_downloaded_once(cache, publish, serve, monkeypatch, name, eps):
    state = make_state(num_classes=91)
    publish(COCO[name], old_layout(state) if name == "coco" else state)
    found = load_weights(name)
    assert len(found.class_names) == 91
    assert found.class_names[18] == "dog"
    assert found.settings["model.norm_eps"] == eps
    assert found.settings["inference.image_size"] == 800
    assert found.settings["model.num_convs"] == 1
    assert found.state.keys() == state.keys()
    assert all(torch.equal(value, found.state[key]) for key, value in state.items())
    [kept] = cache.iterdir()
    monkeypatch.setattr(COCO[name].value, "url", f"http://127.0.0.1:9/{kept.name}")  # where no server listens
    assert load_weights(name).settings == found.settings


@pytest.mark.slow
def test_imagenet_weights_fill_the_backbone(cache, publish):
    body = resnet18().state_dict()
    publish(ResNet18_Weights.DEFAULT, body)
    found = load_weights("imagenet", depth=18)
    config = adopt(Config.from_flat({"model.fpn_channels": 32, "model.num_convs": 0}), found)
    assert (config.model.depth, config.model.fpn_channels, found.architecture) == (18, 32, None)
    built = build(config, found, num_classes=4).backbone.body.state_dict()
    assert all(torch.equal(value, body[key]) for key, value in built.items())
    with pytest.raises(WeightsError, match=r"model\.depth = 50 contradicts the weights imagenet, which need 18"):
        adopt(Config.from_flat({"model.depth": 50}), found)


def test_imagenet_weights_need_a_depth():
    with pytest.raises(WeightsError, match="say which"):
        load_weights("imagenet")


def test_without_network_nothing_is_left(cache, monkeypatch):
    monkeypatch.setattr(COCO["coco"].value, "url", "http://127.0.0.1:9/made-0123abcd.pth")
    with pytest.raises(WeightsError) as error:
        load_weights("coco")
    assert str(error.value).startswith("The COCO weights could not be downloaded (no connection? ")
    assert str(error.value).endswith("): connect and try again, or choose builtin or random.")
    assert not list(cache.iterdir())


def test_a_missing_file_on_the_server_is_named(cache, serve, monkeypatch):
    monkeypatch.setattr(COCO["coco"].value, "url", serve("other.pth", b"").replace("other", "made-0123abcd"))
    with pytest.raises(WeightsError, match="the server answered 404"):
        load_weights("coco")
    assert not list(cache.iterdir())


def test_a_wrong_hash_leaves_nothing(cache, publish):
    publish(COCO["coco"], {"a": torch.zeros(1)}, file_hash="0123abcd")
    with pytest.raises(WeightsError, match="the downloaded file has the wrong hash"):
        load_weights("coco")
    assert not list(cache.iterdir())


def test_a_full_or_forbidden_cache_is_named(cache, publish):
    publish(COCO["coco"], {"a": torch.zeros(1)})
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match=r"checkpoints: File exists.*free some space there"):
        load_weights("coco")


def test_a_damaged_copy_is_named(cache, publish):
    publish(COCO["coco"], {"a": torch.zeros(1)})
    cache.mkdir(parents=True)
    damaged = cache / Path(COCO["coco"].url).name
    damaged.write_bytes(b"half of it")
    with pytest.raises(WeightsError) as error:
        load_weights("coco")
    assert str(error.value) == f"The COCO weights in {damaged} are damaged: delete that file and try again."


def test_a_wrong_file_with_the_right_hash_is_refused(cache, publish):
    publish(COCO["coco"], {"a": torch.zeros(1)})
    with pytest.raises(WeightsError, match="The coco file does not look like a RetinaNet: missing key"):
        load_weights("coco")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("zipped", [True, False])
def test_any_damage_ends_in_one_message(tmp_path, zipped):
    path = tmp_path / "net.pth"
    torch.save({"a": torch.zeros(5)}, path, _use_new_zipfile_serialization=zipped)
    whole, chance = path.read_bytes(), random.Random(1)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        with pytest.raises(WeightsError):
            load_weights(str(path))


def test_a_header_of_nothing_but_names_is_refused_before_it_is_read(tmp_path):
    entries = ",".join(f'"{n:07}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for n in range(200_000))
    header = f"{{{entries}}}".encode()
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(WeightsError, match=r"a\.safetensors holds too much beside its tensors"):
        state_dict.read(tmp_path / "a.safetensors")
