"""Only what setup.cfg cannot say: the presets travel inside the package. All else is there."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["posestream", "posestream.*"]), "posestream.configs"],
    package_dir={"posestream.configs": "configs"},
    package_data={
        "posestream": ["assets/*", "weights/*", "py.typed"],
        "posestream.preview": ["page/*"],
        "posestream.configs": ["*.toml"],
    },
)
