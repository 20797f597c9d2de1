package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var (
	_ datasource.DataSourceWithConfigure        = (*signInDiagnosisDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*signInDiagnosisDataSource)(nil)
)

func newSignInDiagnosisDataSource() datasource.DataSource {
	return &signInDiagnosisDataSource{dataSource{name: "sign_in_diagnosis"}}
}

type signInDiagnosisDataSource struct{ dataSource }

type signInDiagnosisData struct {
	SourceConnectionID      types.String      `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String      `tfsdk:"destination_connection_id"`
	Email                   types.String      `tfsdk:"email"`
	UserID                  types.String      `tfsdk:"user_id"`
	Outcome                 types.String      `tfsdk:"outcome"`
	Summary                 types.String      `tfsdk:"summary"`
	Checks                  []signInCheckData `tfsdk:"checks"`
	UserMappingID           types.String      `tfsdk:"user_mapping_id"`
}

// signInCheckData is a check of a sign-in with its result.
type signInCheckData struct {
	Name    types.String `tfsdk:"name"`
	Status  types.String `tfsdk:"status"`
	Finding types.String `tfsdk:"finding"`
	Cure    types.String `tfsdk:"cure"`
	Codes   []string     `tfsdk:"codes"`
}

func signInCheckDataOf(c idmap.SignInCheck) signInCheckData {
	return signInCheckData{
		Name: types.StringValue(string(c.Name)), Status: types.StringValue(string(c.Status)),
		Finding: types.StringValue(c.Finding), Cure: optionalString(c.Cure), Codes: codeList(c.Reasons),
	}
}

func (d *signInDiagnosisDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Why somebody can or cannot sign in: every check that a sign-in goes through, with what was found and the cure, made for `check` blocks. " +
			"It is what a sign-in at this moment would be told; it leaves no trace in the sign-in history, and makes no mapping. " +
			"Where this configuration makes the mapping or the connections, give `depends_on` with them: without it, a plan that changes one shows the old diagnosis.",
		Attributes: map[string]schema.Attribute{
			"source_connection_id":      schema.StringAttribute{Required: true, Validators: named(), MarkdownDescription: "Id of the mail connection."},
			"destination_connection_id": schema.StringAttribute{Required: true, Validators: named(), MarkdownDescription: "Id of the application connection."},
			"email": schema.StringAttribute{
				Optional: true, Computed: true, Validators: named(),
				MarkdownDescription: "Email of the user. At least one of `email` and `user_id` is needed; the other is that of the mapping, and null where there is none.",
			},
			"user_id": schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "User id in the application."},
			"outcome": schema.StringAttribute{Computed: true, MarkdownDescription: "`allowed` or `denied`; `unknown` where only the email or the user id was given and no mapping tells the other."},
			"summary": schema.StringAttribute{Computed: true, MarkdownDescription: "The diagnosis in one line."},
			"checks": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: "All checks, in their order. A sign-in is denied if one failed.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":    schema.StringAttribute{Computed: true, MarkdownDescription: "Name of the check: " + choices(idmap.CheckNames()) + "."},
					"status":  schema.StringAttribute{Computed: true, MarkdownDescription: "`passed`, `failed`, or `unknown` where no directory tells, which does not deny a sign-in."},
					"finding": schema.StringAttribute{Computed: true, MarkdownDescription: "What was found, in a sentence."},
					"cure":    schema.StringAttribute{Computed: true, MarkdownDescription: "What to do about it, in a sentence; null where there is nothing to do."},
					"codes":   schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Codes of what a sign-in would be denied for; empty unless the check failed."},
				}},
			},
			"user_mapping_id": schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the mapping that a sign-in would go through; null where there is none yet."},
		},
	}
}

func (d *signInDiagnosisDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.AtLeastOneOf(path.MatchRoot("email"), path.MatchRoot("user_id"))}
}

func (d *signInDiagnosisDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, signInNoun, req, resp, func(c *client.Client, data *signInDiagnosisData) error {
		found, err := c.Diagnose(ctx, idmap.DiagnosisRequest{
			Source:      idmap.SignInEnd{Connection: idmap.Ref{ID: data.SourceConnectionID.ValueString()}},
			Destination: idmap.SignInEnd{Connection: idmap.Ref{ID: data.DestinationConnectionID.ValueString()}},
			Email:       data.Email.ValueString(), UserID: data.UserID.ValueString(),
		})
		data.fromAPI(found)
		return noSignIns(ctx, c, err)
	})
}

// fromAPI takes over the diagnosis. What the configuration says stays as it is spelled there.
func (d *signInDiagnosisData) fromAPI(found idmap.Diagnosis) {
	if d.Email.IsNull() {
		d.Email = optionalString(found.Email)
	}
	if d.UserID.IsNull() {
		d.UserID = optionalString(found.UserID)
	}
	d.Outcome, d.Summary = types.StringValue(string(found.Outcome)), types.StringValue(found.Summary)
	if found.UserMapping != nil {
		d.UserMappingID = types.StringValue(found.UserMapping.ID)
	}
	d.Checks = []signInCheckData{}
	for _, check := range found.Checks {
		d.Checks = append(d.Checks, signInCheckDataOf(check))
	}
}
