"""Page encoders: models that see page images, and read text, in the same space."""

from ragvl.indexers.encoders.vision.multi_vector import MultiVectorPageEncoder
from ragvl.indexers.encoders.vision.single_vector import SingleVectorPageEncoder

__all__ = ["MultiVectorPageEncoder", "SingleVectorPageEncoder"]
