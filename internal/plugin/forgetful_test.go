package plugin

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/idmap/terraform-provider-idmap/internal/provider"
)

type key struct{}

// TestContextsAreForgotten: what a call's context holds is gone after the call, which it is not without us.
func TestContextsAreForgotten(t *testing.T) {
	framework := providerserver.NewProtocol6(provider.New("dev", nil)())()
	for name, test := range map[string]struct {
		server tfprotov6.ProviderServer
		kept   bool
	}{
		"the framework alone": {framework, true}, // where it forgets by itself, this package need not
		"ours":                {forgetful(framework), false},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		held := &[1 << 10]byte{}
		seen := weak.Make(held)
		_, err := test.server.ValidateResourceConfig(context.WithValue(ctx, key{}, held), &tfprotov6.ValidateResourceConfigRequest{TypeName: "idmap_connection"})
		cancel() // as the server of the protocol does
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.GC()
		if kept := seen.Value() != nil; kept != test.kept {
			t.Errorf("%s: it is kept: %t, want %t", name, kept, test.kept)
		}
	}
}

// TestLentContext: during the call it is the context that was lent, and then it is cancelled and empty.
func TestLentContext(t *testing.T) {
	parent, cancel := context.WithDeadline(context.WithValue(t.Context(), key{}, "value"), time.Now().Add(time.Hour))
	defer cancel()
	kept, err := lend(parent, 1, func(ctx context.Context, _ int) (context.Context, error) {
		until, has := ctx.Deadline()
		want, _ := parent.Deadline()
		if ctx.Value(key{}) != "value" || !has || !until.Equal(want) || ctx.Err() != nil {
			t.Errorf("during the call: %v, %v %t, %v", ctx.Value(key{}), until, has, ctx.Err())
		}
		before := runtime.NumGoroutine()
		child, stop := context.WithCancel(ctx)
		defer stop()
		if n := runtime.NumGoroutine(); n != before {
			t.Errorf("a context made of it costs %d goroutines", n-before)
		}
		cancel()
		<-child.Done()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("its parent was cancelled, and it says %v", ctx.Err())
		}
		return ctx, errors.New("as it was")
	})
	if err == nil || err.Error() != "as it was" {
		t.Errorf("the call's error is %v", err)
	}
	<-kept.Done()
	if _, has := kept.Deadline(); kept.Value(key{}) != nil || has || !errors.Is(kept.Err(), context.Canceled) {
		t.Errorf("after the call: %v, %t, %v", kept.Value(key{}), has, kept.Err())
	}
}
