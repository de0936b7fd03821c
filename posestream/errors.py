"""One family of errors. Every message says what is wrong and what to do about it.

The command line prints the message of any ``PosestreamError`` as a single sentence and
exits with ``exit_code``; a traceback is shown only for errors outside this family.
"""


class PosestreamError(Exception):
    """Base of all errors that a user can cause or mend."""

    exit_code = 1


class ConfigError(PosestreamError):
    """A configuration file, ``--set`` override or live change is not valid."""

    exit_code = 2


class CaptureError(PosestreamError):
    """A camera, video, stream or image folder cannot be opened or read."""

    exit_code = 3


class BackendError(PosestreamError):
    """An estimation back end is not installed, or its model cannot be loaded or run."""

    exit_code = 4


class WeightsError(BackendError):
    """A weight file is missing, damaged, or of another network than the one asked for."""


class PublishError(PosestreamError):
    """A socket cannot be bound or a target address is not usable."""

    exit_code = 5


class AvatarError(PosestreamError):
    """An avatar or motion file cannot be read as a humanoid."""

    exit_code = 6


class RecordingError(PosestreamError):
    """A recording cannot be written or read."""

    exit_code = 7


class ProtocolError(PosestreamError):
    """Bytes received from outside do not form a valid message."""

    exit_code = 8


class TrainingError(PosestreamError):
    """Training data, a training configuration or a checkpoint cannot be used."""

    exit_code = 9


class ShapeError(PosestreamError, ValueError):
    """A container was built from arrays whose shapes do not agree: a bug in a stage."""

    exit_code = 70
