package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// bulkBench calls one resource of many mappings as Terraform does.
type bulkBench struct {
	*testing.B
	provider tfprotov6.ProviderServer
	block    *tfprotov6.DynamicValue // of the provider
	object   tftypes.Object
	mail     string
	sales    string
}

func newBulkBench(b *testing.B) bulkBench {
	b.Helper()
	server := acctest.NewServer(b)
	connection := func(name, platform string) string {
		made, err := server.Client.CreateConnection(b.Context(), "", idmap.Connection{Name: name, Platform: idmap.PlatformRef{ID: platform}})
		if err != nil {
			b.Fatal(err)
		}
		return made.ID
	}
	bench := bulkBench{B: b, provider: providerserver.NewProtocol6(New("test", nil)())(), mail: connection("Mail", "microsoft365"), sales: connection("Sales", "oracle_sales")}
	schemas, err := bench.provider.GetProviderSchema(b.Context(), &tfprotov6.GetProviderSchemaRequest{})
	bench.fine(err, nil)
	bench.object, _ = schemas.ResourceSchemas["idmap_user_mappings"].ValueType().(tftypes.Object)
	typ, _ := schemas.Provider.ValueType().(tftypes.Object)
	arguments := map[string]tftypes.Value{}
	for name, of := range typ.AttributeTypes {
		arguments[name] = tftypes.NewValue(of, nil)
	}
	arguments["endpoint"], arguments["token"] = tftypes.NewValue(tftypes.String, server.URL), tftypes.NewValue(tftypes.String, server.Token)
	bench.block = bench.dynamic(typ, tftypes.NewValue(typ, arguments))
	return bench
}

// begin begins a walk of Terraform.
func (b bulkBench) begin() {
	b.Helper()
	configured, err := b.provider.ConfigureProvider(b.Context(), &tfprotov6.ConfigureProviderRequest{Config: b.block})
	b.fine(err, configured.Diagnostics)
}

func (b bulkBench) fine(err error, found []*tfprotov6.Diagnostic) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	for _, d := range found {
		if d.Severity == tfprotov6.DiagnosticSeverityWarning {
			continue // a rename that no directory proves
		}
		b.Fatalf("%s: %s", d.Summary, d.Detail)
	}
}

func (b bulkBench) dynamic(typ tftypes.Type, value tftypes.Value) *tfprotov6.DynamicValue {
	b.Helper()
	dynamic, err := tfprotov6.NewDynamicValue(typ, value)
	b.fine(err, nil)
	return &dynamic
}

// config has n entries, of which the first ones have another email.
func (b bulkBench) config(n, changed int) *tfprotov6.DynamicValue {
	b.Helper()
	entries := make(map[string]tftypes.Value, n)
	for i := range n {
		email := fmt.Sprintf("user.number%06d@contoso.example", i)
		if i < changed {
			email = fmt.Sprintf("changed%06d@contoso.example", i)
		}
		entries[fmt.Sprintf("USER%06d", i)] = tftypes.NewValue(tftypes.String, email)
	}
	text := func(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }
	return b.dynamic(b.object, tftypes.NewValue(b.object, map[string]tftypes.Value{
		"id": tftypes.NewValue(tftypes.String, nil), "source_connection_id": text(b.mail), "destination_connection_id": text(b.sales),
		"mappings":       tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, entries),
		"adopt_existing": tftypes.NewValue(tftypes.Bool, false), "keep_removed": tftypes.NewValue(tftypes.Bool, false),
	}))
}

func (b bulkBench) plan(config, prior *tfprotov6.DynamicValue, private []byte) *tfprotov6.PlanResourceChangeResponse {
	b.Helper()
	b.begin()
	planned, err := b.provider.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: "idmap_user_mappings", Config: config, PriorState: prior, ProposedNewState: config, PriorPrivate: private,
	})
	b.fine(err, planned.Diagnostics)
	return planned
}

func (b bulkBench) apply(config, prior *tfprotov6.DynamicValue, plan *tfprotov6.PlanResourceChangeResponse) *tfprotov6.ApplyResourceChangeResponse {
	b.Helper()
	b.begin()
	applied, err := b.provider.ApplyResourceChange(b.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: "idmap_user_mappings", Config: config, PriorState: prior, PlannedState: plan.PlannedState, PlannedPrivate: plan.PlannedPrivate,
	})
	b.fine(err, applied.Diagnostics)
	return applied
}

// BenchmarkUserMappings times what Terraform asks of one resource of many mappings, without Terraform.
func BenchmarkUserMappings(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bench := newBulkBench(b)
			none := bench.dynamic(bench.object, tftypes.NewValue(bench.object, nil))
			config, changed := bench.config(n, 0), bench.config(n, n/100)
			plan := bench.plan(config, none, nil)
			made := bench.apply(config, none, plan)
			b.ReportMetric(float64(len(made.Private))/float64(n), "private-bytes/entry")
			b.Run("read", func(b *testing.B) {
				for b.Loop() {
					bench.begin()
					read, err := bench.provider.ReadResource(b.Context(), &tfprotov6.ReadResourceRequest{TypeName: "idmap_user_mappings", CurrentState: made.NewState, Private: made.Private})
					bench.fine(err, read.Diagnostics)
				}
			})
			b.Run("plan without a change", func(b *testing.B) {
				for b.Loop() {
					bench.plan(config, made.NewState, made.Private)
				}
			})
			b.Run("plan with 1 % changed", func(b *testing.B) {
				for b.Loop() {
					bench.plan(changed, made.NewState, made.Private)
				}
			})
			b.Run("destroy and create", func(b *testing.B) {
				for b.Loop() {
					bench.apply(none, made.NewState, &tfprotov6.PlanResourceChangeResponse{PlannedState: none, PlannedPrivate: made.Private})
					made = bench.apply(config, none, plan)
				}
			})
		})
	}
}
