import pytest

from host.errors import LayerContentError
from host.images.layer import Entry
from host.images.store import Component, LayerStore

RECIPE = f"sha256:{'1' * 64}"
COMPONENT = Component(kind="wheel", name="example", version="1.0", sha256=f"sha256:{'2' * 64}")


def add(store, tmp_path):
    source = tmp_path / "source"
    source.write_text("content")
    return store.add(
        [Entry("file", source=source)], recipe=RECIPE, components=(COMPONENT,), notes=("a note",)
    )


def test_a_layer_is_found_again_by_its_recipe_with_its_components(tmp_path):
    stored = add(LayerStore(tmp_path / "store"), tmp_path)
    assert (stored.components, stored.notes) == ((COMPONENT,), ("a note",))
    assert LayerStore(tmp_path / "store").find(RECIPE) == stored
    layer = stored.layer
    assert layer.path.name == f"{layer.diff_id.removeprefix('sha256:')}.tar"


def test_another_recipe_finds_nothing(tmp_path):
    store = LayerStore(tmp_path / "store")
    add(store, tmp_path)
    assert store.find(f"sha256:{'3' * 64}") is None


def test_a_cut_or_missing_layer_is_not_found(tmp_path):
    store = LayerStore(tmp_path / "store")
    layer = add(store, tmp_path).layer
    layer.path.write_bytes(layer.path.read_bytes()[:-1])
    assert store.find(RECIPE) is None
    layer.path.unlink()
    assert store.find(RECIPE) is None


def test_a_record_with_an_unknown_field_is_not_believed(tmp_path):
    store = LayerStore(tmp_path / "store")
    add(store, tmp_path)
    record = next((tmp_path / "store/records").iterdir())
    record.write_text(record.read_text().replace("{", '{"path":"/etc/passwd",', 1))
    assert store.find(RECIPE) is None


def test_a_failed_layer_leaves_nothing_behind(tmp_path):
    store = LayerStore(tmp_path / "store")
    with pytest.raises(LayerContentError, match="absent"):
        store.add([Entry("file", source=tmp_path / "absent")], recipe=RECIPE)
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["records"]
