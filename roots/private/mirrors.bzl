"""Where packages come from: the same rule as tools/roots/mirrors.py, for repository rules.

Mirrors are the setting DEBIAN_MIRRORS (`--repo_env=DEBIAN_MIRRORS="URL URL"`), each the
base of the main archive; the security archive is its sibling `URL-security`, or an entry
that ends in `-security`. Without the setting they are read from the machine's own apt
configuration (sources.list(5)): only addresses whose last path component is `debian` or
`debian-security` count, so third-party repositories don't.
"""

_ARCHIVES = ["debian", "debian-security"]

def _archive_of(url):
    last = url.rstrip("/").split("/")[-1]
    return last if last in _ARCHIVES else None

def _urls_of_line(line):
    """The addresses in one line of a sources.list or of a deb822 .sources file."""
    words = line.replace("\t", " ").split(" ")
    if words[0] not in ["deb", "URIs:"]:
        return []
    return [word for word in words if word.startswith(("http://", "https://", "file:/"))]

def _apt_mirrors(rctx):
    files = [rctx.path("/etc/apt/sources.list")]
    folder = rctx.path("/etc/apt/sources.list.d")
    if folder.exists:
        files.extend(sorted(folder.readdir(watch = "no"), key = str))
    found = {archive: [] for archive in _ARCHIVES}
    for file in files:
        if not file.exists or not str(file).endswith((".list", ".sources")):
            continue
        for line in rctx.read(file, watch = "no").splitlines():
            for url in _urls_of_line(line.strip()):
                archive = _archive_of(url)
                if archive and url.rstrip("/") not in found[archive]:
                    found[archive].append(url.rstrip("/"))
    return _complete(found)

def _complete(found):
    """Fill a missing archive from its sibling, as tools/roots/mirrors.py does."""
    main, security = found["debian"], found["debian-security"]
    main = main or [url.removesuffix("-security") for url in security if url.endswith("/debian-security")]
    return {"debian": main, "debian-security": security or [url + "-security" for url in main]}

def _set_mirrors(setting):
    found = {archive: [] for archive in _ARCHIVES}
    for word in setting.split(" "):
        url = word.strip().rstrip("/")
        if url.endswith("-security"):
            found["debian-security"].append(url)
        elif url:
            found["debian"].append(url)
    return _complete(found)

def mirrors(rctx):
    """The mirrors in force.

    Args:
      rctx: the repository context.

    Returns:
      A dict from archive ("debian", "debian-security") to a list of base URLs.
    """
    setting = rctx.getenv("DEBIAN_MIRRORS", "")
    return _set_mirrors(setting) if setting.strip() else _apt_mirrors(rctx)

def package_urls(package, bases):
    """All the URLs where a locked package may be had, in the order to try.

    Args:
      package: an entry of a lock file (see tools/lib/locks.py), as a dict.
      bases: what `mirrors` returned.

    Returns:
      A list of URLs; fails when no mirror is known for the package's archive.
    """
    if package.get("url"):
        return [package["url"]]
    urls = [base + "/" + package["path"] for base in bases[package["archive"]]]
    if not urls:
        fail(("no mirror of the archive '{}' is known for the package {}: this machine's apt configuration " +
              "names none; set one with --repo_env=DEBIAN_MIRRORS=\"URL ...\", the base of a Debian archive").format(
            package["archive"],
            package["name"],
        ))
    return urls
