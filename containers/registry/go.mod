// What the token server is built from; `./bazelw run //containers:update_go -- registry` pins it in go.lock.json. Of the
// libraries that face the network, newer versions are asked for than those of the server's own time.
module registry

go 1.24

tool github.com/cesanta/docker_auth/auth_server

require (
	github.com/cesanta/docker_auth/auth_server v0.0.0-20200309093330-99bfe0217f59
	golang.org/x/crypto v0.45.0
	golang.org/x/net v0.47.0
	gopkg.in/yaml.v2 v2.4.0
)
