package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// mapKind is what tells idmap_account_map and idmap_group_map apart. All else they have in common.
type mapKind struct {
	kind        idmap.MapKind
	defaultName string // the attribute of the default account or group
	match       []matchOption
	accounts    bool // options about accounts: fuzzy and external_users
	// decode reads a configuration, a plan or a state; encode returns what is set in one.
	decode func(ctx context.Context, from decoder) (mapModel, diag.Diagnostics)
	encode func(mapModel) any
}

// decoder is a configuration, a plan or a state.
type decoder interface {
	Get(ctx context.Context, target any) diag.Diagnostics
}

// matchOption is an attribute of match.
type matchOption struct {
	name        string
	field       string // of map_by
	of          func(*idmap.MapBy) *bool
	description string
}

var accountMaps = mapKind{
	kind: idmap.AccountMap, defaultName: "default_account", accounts: true,
	match: []matchOption{
		{"ids", "id", func(by *idmap.MapBy) *bool { return &by.ID }, "Accounts that have the same id on both sides."},
		{"names", "name", func(by *idmap.MapBy) *bool { return &by.Name }, "Accounts that have the same display name, without regard to case and to the number of blanks."},
		{"usernames", "username", func(by *idmap.MapBy) *bool { return &by.Username }, "Accounts that have the same username, without regard to case."},
		{"emails", "email", func(by *idmap.MapBy) *bool { return &by.Email }, "Accounts that have an address in common, a primary one or an alias."},
	},
	decode: func(ctx context.Context, from decoder) (mapModel, diag.Diagnostics) {
		var m accountMapModel
		diags := from.Get(ctx, &m)
		return mapModel{m.mapShared, m.Fuzzy, m.ExternalUsers, m.DefaultAccount}, diags
	},
	encode: func(m mapModel) any { return accountMapModel{m.mapShared, m.Fuzzy, m.ExternalUsers, m.Default} },
}

var groupMaps = mapKind{
	kind: idmap.GroupMap, defaultName: "default_group",
	match: []matchOption{
		{"ids", "id", func(by *idmap.MapBy) *bool { return &by.ID }, "Groups that have the same id on both sides."},
		{"names", "name", func(by *idmap.MapBy) *bool { return &by.Name }, "Groups that have the same name, without regard to case and to the number of blanks."},
		{"captions", "caption", func(by *idmap.MapBy) *bool { return &by.Caption }, "Groups that have the same caption, which is their display name, without regard to case and to the number of blanks."},
	},
	decode: func(ctx context.Context, from decoder) (mapModel, diag.Diagnostics) {
		var m groupMapModel
		diags := from.Get(ctx, &m)
		return mapModel{mapShared: m.mapShared, Default: m.DefaultGroup}, diags
	},
	encode: func(m mapModel) any { return groupMapModel{m.mapShared, m.Default} },
}

// resource is the resource type.
func (k mapKind) resource() string { return "idmap_" + string(k.kind) }

// noun is how a map of the kind is called in diagnostics.
func (k mapKind) noun() noun {
	fields := map[string]string{
		"id": "id", "name": "name", "unmapped_policy": "unmapped_policy", "map_by": "match",
		"source.connection.id": "source_connection_id", "destination.connection.id": "destination_connection_id",
		"exceptions": "exceptions", "exclusions": "source_exclusions", "map_by.passthrough": "unmapped_policy",
	}
	// An option is reported at the attribute that it is in: Terraform shows no line for one inside.
	for _, option := range k.match {
		fields["map_by."+option.field] = "match"
	}
	if k.accounts {
		fields["map_by.fuzzy"], fields["map_by.fuzzy_threshold"] = "fuzzy", "fuzzy"
		fields["map_by.external_passthrough"], fields["map_by.external_resolve"] = "external_users", "external_users"
	}
	return noun{resource: k.resource(), fields: fields, summaries: k.ownSummaries()}
}

// matchTypes are the types of match.
func (k mapKind) matchTypes() map[string]attr.Type {
	all := map[string]attr.Type{}
	for _, option := range k.match {
		all[option.name] = types.BoolType
	}
	return all
}
