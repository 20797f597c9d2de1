package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// walk is what one walk of Terraform over the configuration (a plan, or an apply) knows. Terraform configures the
// provider anew for each, so a walk begins empty. Resources are planned and written at the same time, hence the mutex.
type walk struct {
	client     *client.Client // nil while the provider's configuration is unknown
	planChecks bool
	origin     string // tells this configuration's writes from those of another one
	writes     writes

	mu          sync.Mutex
	unreachable bool
	applying    bool // something was written, or was about to be
	claims      map[string]claim
	pending     map[string]*pendingDirectory // by connection id
	mappings    map[string]idmap.UserMapping // read in this walk, by id
	connections map[string]bool              // read in this walk, by id
	maps        map[string]bool              // read in this walk, by id
	onPlatform  bool                         // it was said that the server is a DryvIQ platform
	leaving     map[string]bool              // planned to be deleted, by id
	awaited     map[string][]idmap.Violation // what refuses creates until the object is deleted, by its id
	told        map[warning]bool             // of plans
	managed     map[string]managed           // mappings that plans have seen in the state, by id
	missing     map[mappedUser]userMappingModel
	lost        map[namedObject]string // ids of connections and maps that a refresh does not find any more
}

func newWalk(c *client.Client, planChecks bool) *walk {
	return &walk{
		client: c, planChecks: planChecks, origin: originOfConfiguration(),
		writes:      writes{locks: map[string]*sync.Mutex{}, written: map[string]bool{}, kept: map[string]bool{}},
		claims:      map[string]claim{},
		pending:     map[string]*pendingDirectory{},
		mappings:    map[string]idmap.UserMapping{},
		connections: map[string]bool{},
		maps:        map[string]bool{},
		leaving:     map[string]bool{},
		awaited:     map[string][]idmap.Violation{},
		told:        map[warning]bool{},
		managed:     map[string]managed{},
		missing:     map[mappedUser]userMappingModel{},
		lost:        map[namedObject]string{},
	}
}

// walkFrom returns the walk that Configure handed out, or nil where Terraform validates without configuring.
func walkFrom(providerData any, diags *diag.Diagnostics) *walk {
	if providerData == nil {
		return nil
	}
	w, ok := providerData.(*walk)
	if !ok {
		diags.AddError("Unexpected Provider Data", fmt.Sprintf("Expected *walk, got %T. This is a bug of the provider.", providerData))
	}
	return w
}

// configured reports whether the backend can be called.
func (w *walk) configured() bool { return w != nil && w.client != nil }

// ready reports the same, with an error where it cannot.
func (w *walk) ready(diags *diag.Diagnostics) bool {
	if w.configured() {
		return true
	}
	diags.AddError("Provider Not Configured",
		"The provider's configuration has a value that is known only after apply, so the mapping backend cannot be called yet. "+
			"Give the provider known values, or first apply what they come from (-target).")
	return false
}

// mayWrite is ready for a create, an update or a delete, of which there are none in a plan: the walk is an apply.
func (w *walk) mayWrite(diags *diag.Diagnostics) bool {
	if !w.ready(diags) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.applying = true
	return true
}

// isApplying reports whether the walk is known to be an apply, which Terraform does not tell. Each of its resources is
// planned again just before it is written.
func (w *walk) isApplying() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.applying
}

// checks reports whether this walk asks the backend about what it plans.
func (w *walk) checks() bool { return w.planChecks && w.refreshes() }

// refreshes reports whether this walk asks the backend what there is. It does not while the provider's configuration is
// unknown, of which Configure warned, nor once the backend was out of reach: then the state stays as it is.
func (w *walk) refreshes() bool {
	if !w.configured() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.unreachable
}

// excuse takes the error of a refresh or of a plan check. Where the backend is out of reach that is worth one warning for
// the walk, and the walk asks no more: the rules are checked again at apply. Any other error is not excused.
func (w *walk) excuse(err error, diags *diag.Diagnostics) bool {
	if !errors.Is(err, client.ErrUnreachable) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.unreachable {
		w.unreachable = true
		diags.AddWarning("Mapping Backend Unreachable",
			err.Error()+"\n\n"+
				"This plan is made from what Terraform remembers: it shows no change that was made since, and is not checked. The backend checks the same rules at apply.")
	}
	return true
}

// sawMapping remembers a mapping that Terraform has in its state.
func (w *walk) sawMapping(m idmap.UserMapping) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mappings[m.ID] = m
}

// seenMapping returns a mapping that was read in this walk.
func (w *walk) seenMapping(id string) (idmap.UserMapping, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, seen := w.mappings[id]
	return m, seen
}

// sawConnection remembers a connection that Terraform has in its state.
func (w *walk) sawConnection(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.connections[id] = true
}

// seenConnection reports whether a connection was read in this walk.
func (w *walk) seenConnection(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connections[id]
}

// sawMap remembers an account map or a group map that Terraform has in its state.
func (w *walk) sawMap(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.maps[id] = true
}

// seenMap reports whether a map was read in this walk.
func (w *walk) seenMap(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.maps[id]
}

// firstOnPlatform is true once: for the resource that says that the server is a DryvIQ platform.
func (w *walk) firstOnPlatform() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := !w.onPlatform
	w.onPlatform = true
	return first
}

// leaves remembers an object that is planned to be deleted. It returns the refusals of a create that was let pass since
// nobody was known to delete the object but the create's own resource, which would do so first. Of another resource
// Terraform tells no order: it may delete only after the create failed, or before.
func (w *walk) leaves(id string) (refused []idmap.Violation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaving[id] = true
	return w.awaited[id]
}

// isLeaving reports whether an object is planned to be deleted. Terraform plans in no fixed order, so false says little.
func (w *walk) isLeaving(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leaving[id]
}

// awaits remembers a create that needs the object to be deleted first, with what refuses it otherwise. It is false where
// another resource deletes the object. Terraform plans in no fixed order, so leaves may be the one to find out.
func (w *walk) awaits(id string, refused []idmap.Violation) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leaving[id] {
		return false
	}
	w.awaited[id] = refused
	return true
}

// warning is what is said of a mapping, or of a map. The same may be said of two.
type warning struct {
	of   any // a mappedUser, or a namedObject
	text string
}

// tells remembers warnings that a plan gives.
func (w *walk) tells(of any, warnings []idmap.Violation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range warnings {
		w.told[warning{of, v.Description}] = true
	}
}

// untold returns the warnings of a write that no plan of this walk has given: they came up since, or the checks are off.
func (w *walk) untold(of any, warnings []idmap.Violation) []idmap.Violation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(warnings), func(v idmap.Violation) bool { return w.told[warning{of, v.Description}] })
}

// managed is how the resources are planned that have one and the same mapping in the state.
type managed struct {
	resources                 int
	imported, kept, destroyed bool // one of them at least
}

// twice reports whether several resources have the mapping and one of them keeps it.
func (m managed) twice() bool { return m.resources > 1 && m.kept }

// imports remembers a mapping that is imported.
func (w *walk) imports(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.managed[id]
	m.imported = true
	w.managed[id] = m
}

// manages remembers the plan of a resource that has the mapping in the state, also if it was imported only now, and
// returns what is known so far. Plans tell what reads do not: Terraform also reads what it is going to forget, and without
// a refresh it reads nothing. A resource is planned once with what is stored: the second plan of a replacement is a create.
func (w *walk) manages(id string, kept bool) managed {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.managed[id]
	m.resources++
	m.kept, m.destroyed = m.kept || kept, m.destroyed || !kept
	w.managed[id] = m
	return m
}

// planSoon is how long after it was read the plan of a resource may take to come.
const planSoon = 2 * time.Second

// isPlanned reports whether a resource that has the mapping in the state is planned as such. Terraform plans a resource
// right after it has read it, perhaps while others are planned, so this waits a moment. Of a tainted one there is no such
// plan, but one of a create.
func (w *walk) isPlanned(ctx context.Context, id string) bool {
	const often = 50 * time.Millisecond
	for waited := time.Duration(0); ; waited += often {
		w.mu.Lock()
		planned := w.managed[id].resources > 0
		w.mu.Unlock()
		if planned || waited >= planSoon {
			return planned
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(often):
		}
	}
}

// writes keeps the creates and deletes of one walk apart that are about the same thing. A resource that was given a new
// name without a moved block is deleted and created at the same time, and one with create_before_destroy is created
// before it is deleted. Both carry the same Idempotency-Key as the first create, so the backend answers with the object
// that is there already, and the delete that follows must leave it alone.
type writes struct {
	mu      sync.Mutex
	locks   map[string]*sync.Mutex
	written map[string]bool // ids that creates of this walk returned
	kept    map[string]bool // ids of which deletes of this walk were refused
}

// begin waits until no other create or delete under the key is under way, and returns the function that ends this one.
func (w *writes) begin(key string) (end func()) {
	w.mu.Lock()
	lock, ok := w.locks[key]
	if !ok {
		lock = &sync.Mutex{}
		w.locks[key] = lock
	}
	w.mu.Unlock()
	lock.Lock()
	return lock.Unlock
}

// own makes the id the caller's. It is false where another resource has it: a create of the walk returned the same one,
// or a delete of it was refused.
func (w *writes) own(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.written[id] || w.kept[id] {
		return false
	}
	w.written[id] = true
	return true
}

// keep remembers that the object could not be deleted, so that its resource still has it.
func (w *writes) keep(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept[id] = true
}

// owned reports whether a create of the walk returned the id.
func (w *writes) owned(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written[id]
}
