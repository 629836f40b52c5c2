"""What can be wrong with an input image or its sidecar; each message names the file, each hint the remedy."""

from plugin_spec.errors import InputError


class ImageError(InputError):
    """An image cannot be used."""

    code = "bad-image"


class ImageFileError(ImageError):
    """No readable file stands where the image should."""

    code = "image-file"


class NotANiftiError(ImageError):
    """The bytes are not a single-file NIfTI-1 image."""

    code = "not-a-nifti"


class DamagedImageError(ImageError):
    """The file ends before its last voxel or goes on after it, or its compressed stream is damaged."""

    code = "image-damaged"


class ImageTooLargeError(ImageError):
    """The voxels would take more memory than allowed."""

    code = "image-too-large"


class VoxelTypeError(ImageError):
    """Voxels are neither whole nor real numbers of at most eight bytes."""

    code = "unsupported-voxel-type"


class DimensionsError(ImageError):
    """The image is not 3-D."""

    code = "wrong-dimensions"


class SpacingError(ImageError):
    """A voxel edge length is zero, negative or not a number."""

    code = "bad-spacing"


class SpaceUnitError(ImageError):
    """The image is measured in another unit than millimetres."""

    code = "wrong-space-unit"


class OrientationError(ImageError):
    """The header does not say, or says in two ways, which side is left."""

    code = "no-orientation"


class GridError(ImageError):
    """The affine matrix cannot place voxels in the patient."""

    code = "bad-affine"


class NonFiniteVoxelsError(ImageError):
    """Voxels hold NaN or infinity."""

    code = "non-finite-voxels"


class EmptyVolumeError(ImageError):
    """The image holds nothing: no voxel, or one value everywhere."""

    code = "empty-volume"


class LabelValuesError(ImageError):
    """A label map holds values that are not whole numbers from 0 to 65535."""

    code = "not-a-label-map"


class SidecarError(InputError):
    """The JSON file beside an image cannot be used."""

    code = "bad-sidecar"


class DicomError(InputError):
    """A file of a DICOM series cannot be used."""

    code = "bad-dicom"


class InputDocumentError(InputError):
    """A document given as an input cannot be read as what its port declares."""

    code = "bad-document"
