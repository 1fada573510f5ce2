"""The images of the platform, which //containers:push_all and :save_all have."""

IMAGES = []
