package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type groupBody struct {
	Type typeOf[groupNoun] `json:"type,omitempty"`
	idmap.Group
}

type groupOutput = oneOutput[groupNoun, idmap.Group]

func oneGroup(g idmap.Group) *groupOutput { return stored[groupNoun](g, g.Revision, nil) }

type groupsInput struct {
	IDInput
	ListInput
	Address string `query:"address" maxLength:"320"`
	Deleted string `query:"deleted" enum:"true,false" doc:"Only those that left the directory, or only those that did not."`
}

func (s *server) groups() {
	const collection, one = "/v1/connections/{id}/groups", "/v1/connections/{id}/groups/{entry_id}"
	huma.Register(s.api, operation(http.MethodGet, collection, idmap.ScopeRead, "List the groups of a connection"), s.listGroups)
	huma.Register(s.api, importOperation(collection+"/import", "Import the groups of a connection"), s.importGroups)
	huma.Register(s.api, operation(http.MethodGet, one, idmap.ScopeRead, "Get a group"), s.getGroup)
	huma.Register(s.api, operation(http.MethodPut, one, idmap.ScopeWrite, "Create or replace a group"), s.putGroup)
	huma.Register(s.api, operation(http.MethodDelete, one, idmap.ScopeWrite, "Mark a group as gone"), s.deleteGroup)
}

func (s *server) listGroups(ctx context.Context, in *groupsInput) (*listOutput[groupNoun, idmap.Group], error) {
	f := idmap.DirectoryFilter{AddressKey: emailFilter(in.Address), Deleted: flag(in.Deleted), Query: folded(in.Q)}
	return list[groupNoun](ctx, s, &in.PageInput, func(g idmap.Group) string { return g.ID }, func(page idmap.Page) (backend.List[idmap.Group], error) {
		return s.backend.Groups(ctx, in.ID, f, page)
	})
}

func (s *server) importGroups(ctx context.Context, in *importInput) (*plainOutput[importReportNoun, idmap.ImportReport], error) {
	return importFile(ctx, s, in, directory.ParseGroups, s.backend.ImportGroups)
}

func (s *server) getGroup(ctx context.Context, in *EntryInput) (*groupOutput, error) {
	g, err := s.backend.Group(ctx, in.ID, in.EntryID)
	return answer(ctx, s, oneGroup(g), err)
}

func (s *server) groupRevision(ctx context.Context, in *EntryWriteInput) (int64, error) {
	return in.revision(func() (int64, error) {
		g, err := s.backend.Group(ctx, in.ID, in.EntryID)
		return g.Revision, err
	})
}

func (s *server) putGroup(ctx context.Context, in *struct {
	EntryWriteInput
	Body groupBody
},
) (*groupOutput, error) {
	revision, err := s.groupRevision(ctx, &in.EntryWriteInput)
	if err == nil {
		err = sameID(in.Body.ID, in.EntryID)
	}
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	g, err := s.backend.PutGroup(ctx, callOf(ctx, ""), in.ID, in.Body.Group, revision)
	return answer(ctx, s, oneGroup(g), err)
}

func (s *server) deleteGroup(ctx context.Context, in *EntryWriteInput) (*noOutput, error) {
	revision, err := s.groupRevision(ctx, in)
	if err == nil {
		err = s.backend.DeleteGroup(ctx, callOf(ctx, ""), in.ID, in.EntryID, revision)
	}
	return answer[noOutput](ctx, s, nil, err)
}
