package provider

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// namedObject is what a name stands for: one connection, or one map of a kind.
type namedObject struct{ resource, name string }

// loses remembers a connection or a map that Terraform had in its state and that a refresh does not find any more.
func (w *walk) loses(resource, name, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost[namedObject{resource, idmap.Fold(name)}] = id
}

// tellRemade says of a name that is in use what else there is to say where the state has another object of that name,
// which is gone: somebody made it anew. An import alone does not help then. Terraform skips that of a resource which its
// state has, and the state has the old object until a refresh is applied, which the refused plan prevents.
func (w *walk) tellRemade(resource, name string, v idmap.Violation) idmap.Violation {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id, lost := w.lost[namedObject{resource, idmap.Fold(name)}]; lost && v.Code == idmap.CodeNameInUse {
		v.Description += fmt.Sprintf("\n\nIt was made anew: the one that Terraform knows by that name (%s) was deleted outside of Terraform. "+
			"While that is in the state, Terraform skips an import. So first let Terraform forget it:\n\n  terraform apply -refresh-only", id)
	}
	return v
}
