"""The phantom of the first plugin's embedded tests: nested ellipsoids of known volume, not an anatomy."""

from pathlib import Path

PLUGIN = Path(__file__).parents[2] / "plugins" / "brain-tissue-volumes"
PHANTOM_T1 = PLUGIN / "tests" / "phantom.nii.gz"
T2_LIKE = PLUGIN / "tests" / "t2-like.nii.gz"
# Voxel counts of the labels that tests/make_phantom.py drew, times the voxel volume.
PHANTOM_VOLUMES_ML = {"csf_ml": 246.240, "gm_ml": 671.760, "wm_ml": 624.024, "brain_ml": 1295.784}
