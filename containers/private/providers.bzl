"""Providers of containers: what describes a layer or an image is apart from its blobs.

An action that needs digests and sizes alone reads metadata files. Then a changed configuration reads no layer, and a
push opens only the blobs that the registry lacks.
"""

LayerInfo = provider(
    "One layer: a compressed tar and the files that describe it.",
    fields = {
        "blob": "File: the compressed tar, as it lies in a registry. None for a layer of a pulled image that isn't fetched.",
        "contents": "File, or None for a layer of a pulled image, which isn't read: JSON, {\"layer\": STRING, \"overrides\": [PATTERN], \"entries\": [ENTRY]}; tools/containers/contents.py " +
                    "describes an entry (path, type, mode, uid, gid, size, sha256, target). A list of such where the layer is " +
                    "of several packages.",
        "metadata": "File: JSON, {\"name\": STRING, \"mediaType\": STRING, \"digest\": \"sha256:HEX\", \"size\": BYTES, " +
                    "\"diff_id\": \"sha256:HEX\", \"uncompressed\": BYTES, \"parts\": [{\"name\", \"size\", \"uncompressed\"}]}. mediaType, digest and size are the " +
                    "layer's descriptor in a manifest.",
        "name": "string: what messages and reports call the layer, such as libc6 or //containers/redis:files.",
    },
)

LayersInfo = provider(
    "Layers, in the order in which a runtime unpacks them.",
    fields = {
        "accounts": "File or None: JSON, {\"users\": {NAME: [UID, GID]}, \"groups\": {NAME: GID}}, of the users and groups " +
                    "that these layers have in /etc/passwd and /etc/group.",
        "component_files": "depset of File: JSON, lists of such entries as `components` has, where only an action knows them.",
        "components": "depset of string: JSON, {\"type\": \"deb\", \"golang\", \"oci\" or \"wheel\", \"name\", \"version\", \"arch\", \"sha256\", \"lock\"}, of " +
                      "each locked file that the layers are made of.",
        "layers": "list of LayerInfo.",
        "sources": "list of struct(file = File, place = path in the container, mode = octal digits or \"\", mountable = bool), " +
                   "of each file that a files_layer has; mountable are those that are in the source tree as they are.",
    },
)

ComponentsInfo = provider(
    "What a file is made of, for the SBOM of the image that it comes into.",
    fields = {
        "component_files": "depset of File: as LayersInfo has it.",
    },
)

PackageInfo = provider(
    "One locked Debian package.",
    fields = {
        "component": "string: its entry of LayersInfo.components.",
        "deb": "File: the package.",
        "name": "string: the package's name.",
    },
)

PackagesInfo = provider(
    "A layer of one package, or of several.",
    fields = {
        "layer": "LayerInfo: the files of all the packages, unconfigured.",
        "packages": "list of PackageInfo.",
    },
)

ContainerImageInfo = provider(
    "An image: manifest and configuration, and its layers.",
    fields = {
        "accounts": "File or None: as LayersInfo has it.",
        "component_files": "depset of File: as LayersInfo has it.",
        "components": "depset of string: as LayersInfo has it.",
        "config": "File: the configuration, JSON as the OCI image specification has it. Its SHA-256 is the image's ID.",
        "descriptor": "File: JSON, {\"mediaType\": STRING, \"digest\": \"sha256:HEX\", \"size\": BYTES, \"config\": DESCRIPTOR}, of the " +
                      "manifest and, in \"config\", of the configuration.",
        "layers": "list of LayerInfo, lowest first, those of the base among them. Entry N is layer N of the manifest.",
        "manifest": "File: the manifest, JSON as the OCI image specification has it.",
        "name": "string: the image's name in a registry, below the namespace.",
        "sources": "list of struct: as LayersInfo has it.",
        "version": "string: the version that the image is tagged with.",
    },
)

PulledImageInfo = provider(
    "An image of a registry as a base: what its lock says.",
    fields = {
        "accounts": "None: which users it has isn't known without its layers.",
        "component_files": "depset of File: empty.",
        "components": "depset of string: the image, as LayersInfo has components.",
        "config": "File: JSON, {\"config\": {...}} of its configuration.",
        "layers": "list of LayerInfo, without blobs and contents.",
        "sources": "list: empty.",
    },
)
