#define GREETING "a netlink header has bytes:"
