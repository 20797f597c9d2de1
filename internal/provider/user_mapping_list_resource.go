package provider

import (
	"context"
	"iter"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var _ list.ListResourceWithConfigure = (*userMappingListResource)(nil)

func newUserMappingListResource() list.ListResource { return &userMappingListResource{} }

// userMappingListResource lists mappings. It has the resource's name and is configured as that is.
type userMappingListResource struct{ userMappingResource }

type userMappingListData struct {
	listedBetween
	Email  emailValue   `tfsdk:"email"`
	UserID userIDValue  `tfsdk:"user_id"`
	Origin types.String `tfsdk:"origin"`
}

func (r *userMappingListResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The user mappings of the backend, all or those that the filters select. " + listText +
			" A mapping whose email follows the username is written without an email, so that it goes on to follow.",
		Attributes: map[string]schema.Attribute{
			"source_connection_id":      schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the mail connection."},
			"destination_connection_id": schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "Id of the application connection."},
			"email": schema.StringAttribute{
				Optional: true, CustomType: foldedType[emailSpelling]{}, MarkdownDescription: "Email in the mail connection, in any spelling.",
				Validators: []validator.String{ruleValidator{rules.CheckEmail, "must be an email address"}},
			},
			"user_id": schema.StringAttribute{
				Optional: true, CustomType: foldedType[userIDSpelling]{}, MarkdownDescription: "User id in the application, in any spelling.",
				Validators: []validator.String{ruleValidator{rules.CheckUserID, "must be a user id"}},
			},
			"origin": schema.StringAttribute{
				Optional: true, MarkdownDescription: "What made the mapping: `api` or `sign_in`.",
				Validators: []validator.String{stringvalidator.OneOf(string(idmap.OriginAPI), string(idmap.OriginSignIn))},
			},
		},
	}
}

func (r *userMappingListResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var filters userMappingListData
	l := listing{walk: r.walk, noun: userMappingNoun.stored(), req: req}
	if l.begin(ctx, &filters, stream) {
		stream.Results = l.results(ctx, filters.listedBetween, r.find(ctx, filters))
	}
}

func (r *userMappingListResource) find(ctx context.Context, f userMappingListData) iter.Seq2[found, error] {
	key, _ := idmap.CanonicalEmail(f.Email.ValueString()) // validated
	all := r.walk.client.UserMappings(ctx, idmap.UserMappingFilter{
		SourceConnectionID:      f.SourceConnectionID.ValueString(),
		DestinationConnectionID: f.DestinationConnectionID.ValueString(),
		EmailKey:                key,
		UserKey:                 idmap.Fold(f.UserID.ValueString()),
		Origin:                  idmap.Origin(f.Origin.ValueString()),
	})
	return func(yield func(found, error) bool) {
		for m, err := range all {
			if !yield(foundMapping(m), err) {
				return
			}
		}
	}
}

// foundMapping leaves out an email that follows the username: what is listed becomes a configuration, and one with the
// email would make the mapping stop following.
func foundMapping(m idmap.UserMapping) found {
	var model userMappingModel
	model.fromAPI(m)
	if model.follows() {
		model.Email = emailValue{}
	}
	return found{id: m.ID, label: m.Label(), model: model}
}
