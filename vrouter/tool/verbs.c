// SPDX-License-Identifier: GPL-2.0-only
#include "verbs.h"

#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>

#include "vr_nl.h"

/* As ip(8) has it: add refuses what is there, replace adds what isn't, set refuses what isn't. */
#define ADD (NLM_F_CREATE | NLM_F_EXCL)
#define REPLACE (NLM_F_CREATE | NLM_F_REPLACE)
#define SET NLM_F_REPLACE

/* What a next hop is, besides its number; which of these a type needs is for the module to say. */
#define NEXT_HOP                                                                              \
	(BIT(VR_NH_ATTR_IFINDEX) | BIT(VR_NH_ATTR_DMAC) | BIT(VR_NH_ATTR_SMAC) |              \
	 BIT(VR_NH_ATTR_LOCAL) | BIT(VR_NH_ATTR_REMOTE) | BIT(VR_NH_ATTR_LABEL))

const struct object objects[] = {
	{
		.name = "vif",
		.doc = "network devices attached to the router",
		.verbs = {
			{ "list", "all of them with their counters, or one", VR_CMD_VIF_GET, NLM_F_DUMP,
			  .optional = BIT(VR_VIF_ATTR_IFINDEX) },
			{ "get", "one with its counters", VR_CMD_VIF_GET,
			  .required = BIT(VR_VIF_ATTR_IFINDEX) },
			{ "add", "attach a device, a virtual interface unless --type says otherwise",
			  VR_CMD_VIF_ADD, ADD,
			  .required = BIT(VR_VIF_ATTR_IFINDEX),
			  .optional = BIT(VR_VIF_ATTR_VRF) | BIT(VR_VIF_ATTR_TYPE),
			  .preset = VR_VIF_ATTR_TYPE, .preset_value = VR_VIF_TYPE_VIRTUAL },
			{ "set", "move an attached device to another VRF", VR_CMD_VIF_ADD, SET,
			  .required = BIT(VR_VIF_ATTR_IFINDEX) | BIT(VR_VIF_ATTR_VRF),
			  .preset = VR_VIF_ATTR_TYPE, .preset_value = VR_VIF_TYPE_VIRTUAL },
			{ "del", "detach a device", VR_CMD_VIF_DEL,
			  .required = BIT(VR_VIF_ATTR_IFINDEX) },
		},
	},
	{
		.name = "nh",
		.doc = "next hops",
		.verbs = {
			{ "list", "all of them", VR_CMD_NH_GET, NLM_F_DUMP },
			{ "get", "one", VR_CMD_NH_GET, .required = BIT(VR_NH_ATTR_ID) },
			{ "add", "add one", VR_CMD_NH_ADD, ADD,
			  .required = BIT(VR_NH_ATTR_ID) | BIT(VR_NH_ATTR_TYPE), .optional = NEXT_HOP },
			{ "replace", "add one, or change it under the routes and labels that name it",
			  VR_CMD_NH_ADD, REPLACE,
			  .required = BIT(VR_NH_ATTR_ID) | BIT(VR_NH_ATTR_TYPE), .optional = NEXT_HOP },
			{ "del", "delete one that nothing names", VR_CMD_NH_DEL,
			  .required = BIT(VR_NH_ATTR_ID) },
		},
	},
	{
		.name = "rt",
		.doc = "IPv4 routes",
		.verbs = {
			{ "list", "all routes, or one VRF's", VR_CMD_RT_GET, NLM_F_DUMP,
			  .optional = BIT(VR_RT_ATTR_VRF) },
			{ "get", "the route of exactly this prefix", VR_CMD_RT_GET,
			  .required = BIT(VR_RT_ATTR_VRF) | BIT(VR_RT_ATTR_PREFIX) },
			{ "lookup", "the route that a packet to this address takes", VR_CMD_RT_GET,
			  .required = BIT(VR_RT_ATTR_VRF) | BIT(VR_RT_ATTR_ADDRESS) },
			{ "add", "add a route", VR_CMD_RT_ADD, ADD,
			  .required = BIT(VR_RT_ATTR_VRF) | BIT(VR_RT_ATTR_PREFIX) | BIT(VR_RT_ATTR_NH) },
			{ "replace", "add a route, or point it to another next hop", VR_CMD_RT_ADD, REPLACE,
			  .required = BIT(VR_RT_ATTR_VRF) | BIT(VR_RT_ATTR_PREFIX) | BIT(VR_RT_ATTR_NH) },
			{ "del", "delete a route", VR_CMD_RT_DEL,
			  .required = BIT(VR_RT_ATTR_VRF) | BIT(VR_RT_ATTR_PREFIX) },
		},
	},
	{
		.name = "mpls",
		.doc = "MPLS labels that this router gave to others",
		.verbs = {
			{ "list", "all of them", VR_CMD_MPLS_GET, NLM_F_DUMP },
			{ "get", "one", VR_CMD_MPLS_GET, .required = BIT(VR_MPLS_ATTR_LABEL) },
			{ "add", "give a label to a next hop", VR_CMD_MPLS_ADD, ADD,
			  .required = BIT(VR_MPLS_ATTR_LABEL) | BIT(VR_MPLS_ATTR_NH) },
			{ "replace", "give a label to a next hop, whoever has it", VR_CMD_MPLS_ADD, REPLACE,
			  .required = BIT(VR_MPLS_ATTR_LABEL) | BIT(VR_MPLS_ATTR_NH) },
			{ "del", "delete a label", VR_CMD_MPLS_DEL, .required = BIT(VR_MPLS_ATTR_LABEL) },
		},
	},
	{
		.name = "drops",
		.doc = "packets dropped by the whole router, by reason",
		.verbs = {
			{ "list", "all reasons", VR_CMD_DROP_GET, NLM_F_DUMP, .nonzero = true },
		},
	},
	{
		.name = "version",
		.doc = "the version of the loaded module",
		.verbs = {
			{ "get", "the version", VR_CMD_VERSION_GET },
		},
	},
	{ .name = NULL },
};

const struct object *object_named(const char *name)
{
	for (const struct object *object = objects; object->name; object++)
		if (!strcmp(object->name, name))
			return object;
	return NULL;
}

const struct verb *verb_named(const struct object *object, const char *name)
{
	for (const struct verb *verb = object->verbs; verb->name; verb++)
		if (!strcmp(verb->name, name))
			return verb;
	return NULL;
}

const struct command *verb_command(const struct verb *verb)
{
	return &commands[verb->command];
}
