"""What sizes of pictures a network that halves and doubles its maps can take."""


def smallest_map(image_shape: tuple[int, int, int], channels: tuple[int, ...]) -> tuple[int, int]:
    """(rows, columns) of pictures after their sides are halved once for each of `channels`.

    Raises ValueError for pictures that are not (height, width, colours), and where they cannot be halved so often.
    """
    factor = 2 ** len(channels)
    if len(image_shape) != 3 or not channels or min(channels) < 1 or image_shape[0] % factor or image_shape[1] % factor:
        raise ValueError(
            f"pictures of shape {image_shape} cannot be halved once for each of channels {channels}: expected (height, "
            f"width, colours) with sides in multiples of {factor}, and at least one channel"
        )
    return image_shape[0] // factor, image_shape[1] // factor
