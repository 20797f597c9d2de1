package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// benchedMappings is how many mappings there are in a walk of the benchmark.
const benchedMappings = 1_000

// mappingBench calls resources of one mapping each as Terraform does.
type mappingBench struct {
	bulkBench
	object tftypes.Object
	absent *tfprotov6.DynamicValue
}

func newMappingBench(b *testing.B) mappingBench {
	b.Helper()
	bench := mappingBench{bulkBench: newBulkBench(b)}
	schemas, err := bench.provider.GetProviderSchema(b.Context(), &tfprotov6.GetProviderSchemaRequest{})
	bench.fine(err, nil)
	bench.object, _ = schemas.ResourceSchemas["idmap_user_mapping"].ValueType().(tftypes.Object)
	bench.absent = bench.dynamic(bench.object, tftypes.NewValue(bench.object, nil))
	return bench
}

func (b mappingBench) config(i int) *tfprotov6.DynamicValue {
	b.Helper()
	values := map[string]tftypes.Value{}
	for name, typ := range b.object.AttributeTypes {
		values[name] = tftypes.NewValue(typ, nil)
	}
	for name, value := range map[string]string{
		"source_connection_id": b.mail, "destination_connection_id": b.sales,
		"user_id": fmt.Sprintf("USER%06d", i), "email": fmt.Sprintf("user.number%06d@contoso.example", i),
	} {
		values[name] = tftypes.NewValue(tftypes.String, value)
	}
	return b.dynamic(b.object, tftypes.NewValue(b.object, values))
}

func (b mappingBench) validate(config *tfprotov6.DynamicValue) {
	b.Helper()
	found, err := b.provider.ValidateResourceConfig(b.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: "idmap_user_mapping", Config: config})
	b.fine(err, found.Diagnostics)
}

func (b mappingBench) plan(config, prior, proposed *tfprotov6.DynamicValue, private []byte) *tfprotov6.PlanResourceChangeResponse {
	b.Helper()
	planned, err := b.provider.PlanResourceChange(b.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: "idmap_user_mapping", Config: config, PriorState: prior, ProposedNewState: proposed, PriorPrivate: private,
	})
	b.fine(err, planned.Diagnostics)
	return planned
}

func (b mappingBench) apply(config, prior, planned *tfprotov6.DynamicValue, private []byte) *tfprotov6.ApplyResourceChangeResponse {
	b.Helper()
	applied, err := b.provider.ApplyResourceChange(b.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: "idmap_user_mapping", Config: config, PriorState: prior, PlannedState: planned, PlannedPrivate: private,
	})
	b.fine(err, applied.Diagnostics)
	return applied
}

func (b mappingBench) read(made *tfprotov6.ApplyResourceChangeResponse) {
	b.Helper()
	read, err := b.provider.ReadResource(b.Context(), &tfprotov6.ReadResourceRequest{TypeName: "idmap_user_mapping", CurrentState: made.NewState, Private: made.Private})
	b.fine(err, read.Diagnostics)
}

// each times one call for each mapping, and begins a new walk when all had theirs.
func (b mappingBench) each(name string, call func(i int)) {
	begin := b.begin
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			if n%benchedMappings == 0 {
				begin()
			}
			call(n)
		}
	})
}

// BenchmarkUserMapping times what Terraform asks of resources of one mapping each, without Terraform.
func BenchmarkUserMapping(b *testing.B) {
	bench := newMappingBench(b)
	configs := make([]*tfprotov6.DynamicValue, benchedMappings)
	made := make([]*tfprotov6.ApplyResourceChangeResponse, benchedMappings)
	bench.begin()
	for i := range configs {
		configs[i] = bench.config(i)
		plan := bench.plan(configs[i], bench.absent, configs[i], nil)
		made[i] = bench.apply(configs[i], bench.absent, plan.PlannedState, plan.PlannedPrivate)
	}
	bench.each("validate", func(n int) { bench.validate(configs[n%benchedMappings]) })
	bench.each("read", func(n int) { bench.read(made[n%benchedMappings]) })
	bench.each("plan without a change", func(n int) {
		i := n % benchedMappings
		bench.plan(configs[i], made[i].NewState, made[i].NewState, made[i].Private)
	})
	next := benchedMappings
	bench.each("plan, create and destroy", func(int) {
		config := bench.config(next)
		next++
		plan := bench.plan(config, bench.absent, config, nil)
		created := bench.apply(config, bench.absent, plan.PlannedState, plan.PlannedPrivate)
		bench.apply(bench.absent, created.NewState, bench.absent, created.Private)
	})
}
