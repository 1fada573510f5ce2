"""Fetching locked packages in a repository rule, through Bazel's downloader and its repository cache."""

load(":mirrors.bzl", "mirrors", "package_urls")

def read_lock(rctx, label):
    """A lock file's content (schema: tools/lib/locks.py) as a dict.

    Args:
      rctx: the repository context.
      label: the label of the lock file.

    Returns:
      The decoded lock; fails with the file's label when it isn't one.
    """
    lock = json.decode(rctx.read(label), default = None)
    if type(lock) != "dict" or lock.get("schema") != 1:
        fail("{}: not a lock file with schema 1; restore it from git or make it anew with: ./bazelw run //roots:update".format(label))
    return lock

def download_packages(rctx, packages, folder):
    """Download packages by SHA-256, all at once.

    Args:
      rctx: the repository context.
      packages: entries of a lock file, as dicts.
      folder: where the .debs go, relative to the repository.

    Returns:
      A dict from package name to the path of its file, relative to the repository, and a list of
      the packages that couldn't be had.
    """
    bases = mirrors(rctx)
    files = {}
    pending = []
    for package in packages:
        urls = package_urls(package, bases)
        name = package["name"]
        files[name] = "{}/{}{}".format(folder, name.replace("+", "x"), ".rpm" if urls[0].endswith(".rpm") else ".deb")

        # Each address twice: Bazel itself goes on to the next one after a connection that was cut.
        token = rctx.download(urls + urls, files[name], sha256 = package["sha256"], allow_fail = True, block = False)
        pending.append((package, token))
    return files, [package for package, token in pending if not token.wait().success]

def fail_for(packages, refresh):
    """Fail because packages couldn't be had, with their names.

    Args:
      packages: entries of a lock file, as dicts.
      refresh: the command that refreshes the lock, for the message.
    """
    names = ["{} {} (SHA-256 {})".format(package["name"], package["version"], package["sha256"]) for package in packages]

    # One line, because Bazel repeats it for the repository, its package, and each target that needs it.
    fail(("no mirror has {}; the WARNING lines above say why, for each address. Refresh the lock: {}; " +
          "or name a mirror that has it: --repo_env=DEBIAN_MIRRORS=\"URL URL\"").format(", ".join(names), refresh))

def fetch_packages(rctx, packages, folder, refresh):
    """Download packages by SHA-256, all at once, and name each that can't be had.

    Args:
      rctx: the repository context.
      packages: entries of a lock file, as dicts.
      folder: where the .debs go, relative to the repository.
      refresh: the command that refreshes the lock, for the message.

    Returns:
      A dict from package name to the path of its file, relative to the repository.
    """
    files, failed = download_packages(rctx, packages, folder)
    if failed:
        fail_for(failed, refresh)
    return files
