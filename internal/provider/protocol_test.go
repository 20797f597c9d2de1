package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// protocol calls the provider as Terraform does, without Terraform: for what the Terraform of the tests is too old for,
// and for tables that would take a process for each line.
type protocol struct {
	*testing.T
	provider tfprotov6.ProviderServer
	objects  map[string]tftypes.Object // by resource type
	identity tftypes.Object            // of most resources
	pair     tftypes.Object            // the identity of idmap_user_mappings
}

// fields are the values of an object; what is left out is null.
type fields map[string]any

func newProtocol(t *testing.T, server *acctest.Server) protocol {
	t.Helper()
	return newProtocolWith(t, fields{"endpoint": server.URL, "token": server.Token})
}

// newProtocolWith has a provider block with these arguments.
func newProtocolWith(t *testing.T, arguments fields) protocol {
	t.Helper()
	p := protocol{T: t, provider: providerserver.NewProtocol6(New("test", nil)())(), objects: map[string]tftypes.Object{}}
	schemas, err := p.provider.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range schemas.ResourceSchemas {
		p.objects[name] = p.objectOf(schema)
	}
	p.identity = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"id": tftypes.String}}
	p.pair = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"source_connection_id": tftypes.String, "destination_connection_id": tftypes.String}}
	config := p.value(p.objectOf(schemas.Provider), arguments)
	configured, err := p.provider.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
	p.fine(err, configured.Diagnostics)
	return p
}

func (p protocol) objectOf(schema *tfprotov6.Schema) tftypes.Object {
	p.Helper()
	object, ok := schema.ValueType().(tftypes.Object)
	if !ok {
		p.Fatalf("a schema is a %s", schema.ValueType())
	}
	return object
}

func (p protocol) fine(err error, diagnostics []*tfprotov6.Diagnostic) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
	for _, d := range diagnostics {
		p.Fatalf("%s: %s", d.Summary, d.Detail)
	}
}

func (p protocol) value(object tftypes.Object, given fields) *tfprotov6.DynamicValue {
	p.Helper()
	var value tftypes.Value
	if given == nil {
		value = tftypes.NewValue(object, nil)
	} else {
		values := map[string]tftypes.Value{}
		for name, typ := range object.AttributeTypes {
			values[name] = tftypes.NewValue(typ, given[name])
		}
		value = tftypes.NewValue(object, values)
	}
	dynamic, err := tfprotov6.NewDynamicValue(object, value)
	if err != nil {
		p.Fatal(err)
	}
	return &dynamic
}

// planMapping plans a mapping and returns what the provider says to it.
func (p protocol) planMapping(config, prior, proposed fields) []*tfprotov6.Diagnostic {
	p.Helper()
	const name = "idmap_user_mapping"
	object := p.objects[name]
	valid, err := p.provider.ValidateResourceConfig(p.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: name, Config: p.value(object, config)})
	if err != nil {
		p.Fatal(err)
	}
	if len(valid.Diagnostics) > 0 {
		return valid.Diagnostics
	}
	return p.change(config, prior, proposed)
}

// change plans a mapping without validating its configuration, which may be null.
func (p protocol) change(config, prior, proposed fields) []*tfprotov6.Diagnostic {
	p.Helper()
	object := p.objects["idmap_user_mapping"]
	plan, err := p.provider.PlanResourceChange(p.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: "idmap_user_mapping", Config: p.value(object, config), PriorState: p.value(object, prior), ProposedNewState: p.value(object, proposed),
	})
	if err != nil {
		p.Fatal(err)
	}
	return plan.Diagnostics
}

// read refreshes an object of which only the id is in the state.
func (p protocol) read(name, id string) *tfprotov6.ReadResourceResponse {
	p.Helper()
	read, err := p.provider.ReadResource(p.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: p.value(p.objects[name], fields{"id": id})})
	if err != nil {
		p.Fatal(err)
	}
	p.fine(nil, read.Diagnostics)
	return read
}

// mappingFields is a mapping as the configuration has it.
func mappingFields(m idmap.UserMapping) fields {
	optional := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return fields{
		"source_connection_id": m.Source.Connection.ID, "source_account_id": optional(m.Source.AccountID()),
		"destination_connection_id": m.Destination.Connection.ID, "destination_account_id": optional(m.Destination.AccountID()),
		"email": optional(m.Email), "user_id": m.UserID,
	}
}

// TestSpecification holds the plan against the specification of the rules: the same cases as the rules, the backend and
// the API, and the same codes at the same attributes.
func TestSpecification(t *testing.T) {
	t.Parallel()
	for _, c := range rulestest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			server := acctest.NewServer(t)
			acctest.Stage(t, server.Backend, backend.Call{})
			create := func(m idmap.UserMapping) idmap.UserMapping {
				made, _, err := server.Client.CreateUserMapping(t.Context(), "", m)
				if err != nil {
					t.Fatal(err)
				}
				return made
			}
			for _, m := range c.Gone {
				if err := server.Client.DeleteUserMapping(t.Context(), create(m).ID, 0); err != nil {
					t.Fatal(err)
				}
			}
			for _, m := range c.Live {
				create(m)
			}
			config := mappingFields(c.Want)
			var prior, proposed fields
			proposed = mappingFields(c.Want)
			if c.Update != nil {
				stored := create(*c.Update)
				prior = mappingFields(stored)
				prior["source_account_id"], prior["destination_account_id"] = nil, nil
				prior["id"], prior["email_source"], prior["origin"] = stored.ID, string(stored.EmailSource), string(stored.Origin)
				for name, value := range prior {
					if proposed[name] == nil && name != "source_account_id" && name != "destination_account_id" {
						proposed[name] = value
					}
				}
			}
			checkCase(t, c, newProtocol(t, server).planMapping(config, prior, proposed))
		})
	}
}

// checkCase compares diagnostics with a case. Where a rule that needs nothing but the value refuses it, the backend is
// not asked, so the case's first code is enough.
func checkCase(t *testing.T, c rulestest.Case, diagnostics []*tfprotov6.Diagnostic) {
	t.Helper()
	var refused, warned []idmap.Code
	first := ""
	for _, d := range diagnostics {
		_, code, _ := strings.Cut(d.Detail, "Code: ")
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			refused = append(refused, idmap.Code(code))
		} else {
			warned = append(warned, idmap.Code(code))
		}
		if first == "" && d.Attribute != nil {
			first = d.Attribute.String()
		}
	}
	if !slices.Equal(refused, c.Refused) || len(c.Refused) == 0 && !slices.Equal(warned, c.Warned) {
		t.Errorf("refused with %v and warned of %v, want %v and %v", refused, warned, c.Refused, c.Warned)
	}
	if attribute, known := userMappingNoun.attribute(c.Field); known && first != `AttributeName("`+attribute.String()+`")` {
		t.Errorf("reported at %s, want %s", first, attribute)
	}
}

// TestImportByIdentity needs Terraform 1.12, which the tests cannot count on.
func TestImportByIdentity(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	acctest.Stage(t, server.Backend, backend.Call{})
	stored, _, err := server.Client.CreateUserMapping(t.Context(), "", rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	if err != nil {
		t.Fatal(err)
	}
	p := newProtocol(t, server)
	for name, id := range map[string]string{"idmap_user_mapping": stored.ID, "idmap_connection": rulestest.Mail} {
		imported, err := p.provider.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
			TypeName: name, Identity: &tfprotov6.ResourceIdentityData{IdentityData: p.value(p.identity, fields{"id": id})},
		})
		p.fine(err, imported.Diagnostics)
		object := imported.ImportedResources[0]
		read, err := p.provider.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: name, CurrentState: object.State, Private: object.Private, CurrentIdentity: object.Identity,
		})
		p.fine(err, read.Diagnostics)
		identity, err := read.NewIdentity.IdentityData.Unmarshal(p.identity)
		if err != nil || !identity.Equal(tftypes.NewValue(p.identity, map[string]tftypes.Value{"id": tftypes.NewValue(tftypes.String, id)})) {
			t.Errorf("%s has the identity %s (%v)", name, identity, err)
		}
	}
}

// TestReadOfWhatIsGone removes the object from the state, and needs an identity even then.
func TestReadOfWhatIsGone(t *testing.T) {
	t.Parallel()
	p := newProtocol(t, acctest.NewServer(t))
	for name, object := range p.objects {
		read := p.read(name, "gone")
		state, err := read.NewState.Unmarshal(object)
		if err != nil || !state.IsNull() || read.NewIdentity == nil {
			t.Errorf("%s is still in the state: %s (%v)", name, state, err)
		}
	}
}

// TestMappingExistsAlready: two configurations in containers of their own, in the same folder, have the same
// Idempotency-Keys. The second one is warned at plan that it would take over what the first one has.
func TestMappingExistsAlready(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	acctest.Stage(t, server.Backend, backend.Call{})
	wanted := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	wanted.EmailSource = idmap.EmailExplicit // as the provider sends it
	stored, _, err := server.Client.CreateUserMapping(t.Context(), newWalk(nil, true).requestKey("user_mapping", wanted), wanted)
	if err != nil {
		t.Fatal(err)
	}
	config := mappingFields(wanted)
	found := newProtocol(t, server).change(config, nil, config)
	if len(found) != 1 || found[0].Severity != tfprotov6.DiagnosticSeverityWarning || found[0].Summary != "Mapping Exists Already" ||
		found[0].Attribute.String() != `AttributeName("user_id")` {
		t.Fatalf("the plan of another configuration: %+v", found)
	}
	for _, words := range []string{"interrupted", "do not apply", "import {", stored.ID} {
		if !strings.Contains(found[0].Detail, words) {
			t.Errorf("%q lacks %q", found[0].Detail, words)
		}
	}
	tainted := newProtocol(t, server)
	tainted.read("idmap_user_mapping", stored.ID)
	tainted.fine(nil, tainted.change(config, nil, config))
}

// TestTaintedAndRenamed tells the two apart that look alike to a create: its own tainted predecessor, which Terraform
// has read in this walk and deletes first, and the mapping of a resource that was renamed without a moved block, which
// it deletes at some time. The mapping was made elsewhere, so no Idempotency-Key helps.
func TestTaintedAndRenamed(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	acctest.Stage(t, server.Backend, backend.Call{})
	stored, _, err := server.Client.CreateUserMapping(t.Context(), "", rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	if err != nil {
		t.Fatal(err)
	}
	config := mappingFields(rulestest.Mapping("Jane.Doe@contoso.com", "jdoe"))
	prior := mappingFields(stored)
	prior["id"], prior["email_source"], prior["origin"] = stored.ID, string(stored.EmailSource), string(stored.Origin)

	if found := newProtocol(t, server).change(config, nil, config); len(found) == 0 || !strings.Contains(found[0].Detail, "moved block") {
		t.Errorf("a mapping that this walk has not read: %+v", found)
	}
	tainted := newProtocol(t, server)
	tainted.read("idmap_user_mapping", stored.ID)
	tainted.fine(nil, tainted.change(config, nil, config))
	if found := tainted.change(config, nil, config); len(found) != 1 || found[0].Summary != "Claimed Twice" {
		t.Errorf("a second resource with the tainted mapping: %+v", found)
	}
	other := mappingFields(rulestest.Mapping("lea.ver@contoso.com", "JDOE")) // whom the tainted one is to be made anew for
	corrected := newProtocol(t, server)
	corrected.read("idmap_user_mapping", stored.ID)
	corrected.fine(nil, corrected.change(other, nil, other))
	if found := corrected.change(prior, prior, prior); len(found) != 1 || found[0].Summary != "Claimed Twice" {
		t.Errorf("a resource that has the mapping after all: %+v", found)
	}
	live := newProtocol(t, server)
	live.read("idmap_user_mapping", stored.ID)
	live.fine(nil, live.change(prior, prior, prior))
	if found := live.change(other, nil, other); len(found) == 0 || found[0].Summary != "User Already Mapped" {
		t.Errorf("another mapping of a user whose mapping stays: %+v", found)
	}
	renamed := newProtocol(t, server)
	renamed.read("idmap_user_mapping", stored.ID)
	renamed.fine(nil, renamed.change(nil, prior, nil))
	if found := renamed.change(config, nil, config); len(found) == 0 || found[0].Summary != "Email Already in Use" {
		t.Errorf("a mapping that another resource is about to delete: %+v", found)
	}
}
