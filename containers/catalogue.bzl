"""The images of the platform, each in a folder of its name: what //containers:push_all and :save_all take."""

IMAGES = [
    "redis",
]
