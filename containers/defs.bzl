"""Containers: layers, images, and their tests."""

load("//containers/private:container_image.bzl", _container_image = "container_image")
load("//containers/private:container_test.bzl", _container_test = "container_test")
load("//containers/private:container_verb.bzl", _container_verb = "container_verb")
load("//containers/private:files_layer.bzl", _files_layer = "files_layer")
load("//containers/private:go_binary.bzl", _go_binary = "go_binary")
load("//containers/private:module_layer.bzl", _module_layer = "module_layer")
load("//containers/private:package_layer.bzl", _package_layer = "package_layer")
load("//containers/private:providers.bzl", _ComponentsInfo = "ComponentsInfo", _ContainerImageInfo = "ContainerImageInfo", _LayerInfo = "LayerInfo", _LayersInfo = "LayersInfo", _PackageInfo = "PackageInfo", _PackagesInfo = "PackagesInfo", _PulledImageInfo = "PulledImageInfo")
load("//containers/private:repository_layer.bzl", _repository_layer = "repository_layer")
load("//containers/private:wheel_layer.bzl", _wheel_layer = "wheel_layer")

ComponentsInfo = _ComponentsInfo
container_image = _container_image
container_test = _container_test
container_verb = _container_verb
ContainerImageInfo = _ContainerImageInfo
files_layer = _files_layer
go_binary = _go_binary
LayerInfo = _LayerInfo
LayersInfo = _LayersInfo
module_layer = _module_layer
package_layer = _package_layer
PackageInfo = _PackageInfo
PackagesInfo = _PackagesInfo
PulledImageInfo = _PulledImageInfo
repository_layer = _repository_layer
wheel_layer = _wheel_layer
