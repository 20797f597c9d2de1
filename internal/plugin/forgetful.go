package plugin

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// server is all that the plugin framework answers for a provider such as ours.
type server interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

// forgetfulServer lends contexts to the calls that Terraform makes for each resource. The framework (v1.19) keeps the context
// of every call until it is stopped, to cancel it then, and each holds the loggers of its call: 13 KiB.
type forgetfulServer struct{ server }

// forgetful returns the framework's server, made forgetful. One that answers less is returned as it is.
func forgetful(framework tfprotov6.ProviderServer) tfprotov6.ProviderServer {
	if all, ok := framework.(server); ok {
		return forgetfulServer{all}
	}
	return framework
}

// ValidateResourceConfig answers as the framework does.
func (s forgetfulServer) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return lend(ctx, req, s.server.ValidateResourceConfig)
}

// UpgradeResourceState answers as the framework does.
func (s forgetfulServer) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return lend(ctx, req, s.server.UpgradeResourceState)
}

// UpgradeResourceIdentity answers as the framework does.
func (s forgetfulServer) UpgradeResourceIdentity(ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return lend(ctx, req, s.server.UpgradeResourceIdentity)
}

// ReadResource answers as the framework does.
func (s forgetfulServer) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return lend(ctx, req, s.server.ReadResource)
}

// PlanResourceChange answers as the framework does.
func (s forgetfulServer) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return lend(ctx, req, s.server.PlanResourceChange)
}

// ApplyResourceChange answers as the framework does.
func (s forgetfulServer) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return lend(ctx, req, s.server.ApplyResourceChange)
}

// ImportResourceState answers as the framework does.
func (s forgetfulServer) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return lend(ctx, req, s.server.ImportResourceState)
}

// ValidateDataResourceConfig answers as the framework does.
func (s forgetfulServer) ValidateDataResourceConfig(ctx context.Context, req *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return lend(ctx, req, s.server.ValidateDataResourceConfig)
}

// ReadDataSource answers as the framework does.
func (s forgetfulServer) ReadDataSource(ctx context.Context, req *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	return lend(ctx, req, s.server.ReadDataSource)
}

// CallFunction answers as the framework does.
func (s forgetfulServer) CallFunction(ctx context.Context, req *tfprotov6.CallFunctionRequest) (*tfprotov6.CallFunctionResponse, error) {
	return lend(ctx, req, s.server.CallFunction)
}

// lend makes a call with a context that it cannot keep.
func lend[Req, Resp any](ctx context.Context, req Req, call func(context.Context, Req) (Resp, error)) (Resp, error) {
	ctx, cancel := context.WithCancel(ctx)
	l := &lent{done: ctx.Done()}
	l.of.Store(&ctx)
	defer func() {
		cancel()
		l.of.Store(nil)
	}()
	return call(l, req)
}

// lent is the context of a call while the call lasts, and then one that is cancelled and knows nothing. Contexts that are made
// of it need no goroutine, since it tells which context it stands for.
type lent struct {
	done <-chan struct{}
	of   atomic.Pointer[context.Context]
}

func (l *lent) Deadline() (deadline time.Time, ok bool) {
	if ctx := l.of.Load(); ctx != nil {
		return (*ctx).Deadline()
	}
	return time.Time{}, false
}

func (l *lent) Done() <-chan struct{} { return l.done }

func (l *lent) Err() error {
	if ctx := l.of.Load(); ctx != nil {
		return (*ctx).Err()
	}
	return context.Canceled
}

func (l *lent) Value(key any) any {
	if ctx := l.of.Load(); ctx != nil {
		return (*ctx).Value(key)
	}
	return nil
}
