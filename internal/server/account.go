package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type accountBody struct {
	Type typeOf[accountNoun] `json:"type,omitempty"`
	idmap.Account
}

type accountOutput = oneOutput[accountNoun, idmap.Account]

func oneAccount(a idmap.Account, warnings []idmap.Violation) *accountOutput {
	return stored[accountNoun](a, a.Revision, warnings)
}

type accountsInput struct {
	IDInput
	ListInput
	Email   string `query:"email" maxLength:"320" doc:"Primary address or alias."`
	UserID  string `query:"user_id" maxLength:"255"`
	Deleted string `query:"deleted" enum:"true,false" doc:"Only those that left the directory, or only those that did not."`
}

func (s *server) accounts() {
	const collection, one = "/v1/connections/{id}/accounts", "/v1/connections/{id}/accounts/{entry_id}"
	huma.Register(s.api, operation(http.MethodGet, collection, idmap.ScopeRead, "List the accounts of a connection"), s.listAccounts)
	huma.Register(s.api, importOperation(collection+"/import", "Import the accounts of a connection"), s.importAccounts)
	huma.Register(s.api, operation(http.MethodGet, one, idmap.ScopeRead, "Get an account"), s.getAccount)
	huma.Register(s.api, operation(http.MethodPut, one, idmap.ScopeWrite, "Create or replace an account"), s.putAccount)
	huma.Register(s.api, operation(http.MethodDelete, one, idmap.ScopeWrite, "Mark an account as gone"), s.deleteAccount)
}

func (s *server) listAccounts(ctx context.Context, in *accountsInput) (*listOutput[accountNoun, idmap.Account], error) {
	f := idmap.DirectoryFilter{AddressKey: emailFilter(in.Email), UserKey: folded(in.UserID), Deleted: flag(in.Deleted), Query: folded(in.Q)}
	return list[accountNoun](ctx, s, &in.PageInput, func(a idmap.Account) string { return a.ID }, func(page idmap.Page) (backend.List[idmap.Account], error) {
		return s.backend.Accounts(ctx, in.ID, f, page)
	})
}

// emailFilter returns the key of an address to search for; what is no address is searched as it is, and not found.
func emailFilter(email string) string {
	if key, err := idmap.CanonicalEmail(email); err == nil {
		return key
	}
	return email
}

// folded returns the key of a text to search for. A blank one stays as it is, and is not found: it does not mean all.
func folded(text string) string {
	if key := idmap.Fold(text); key != "" {
		return key
	}
	return text
}

func flag(s string) *bool {
	if s == "" {
		return nil
	}
	set := s == "true"
	return &set
}

func (s *server) importAccounts(ctx context.Context, in *importInput) (*plainOutput[importReportNoun, idmap.ImportReport], error) {
	return importFile(ctx, s, in, directory.ParseAccounts, s.backend.ImportAccounts)
}

func (s *server) getAccount(ctx context.Context, in *EntryInput) (*accountOutput, error) {
	a, err := s.backend.Account(ctx, in.ID, in.EntryID)
	return answer(ctx, s, oneAccount(a, nil), err)
}

func (s *server) accountRevision(ctx context.Context, in *EntryWriteInput) (int64, error) {
	return in.revision(func() (int64, error) {
		a, err := s.backend.Account(ctx, in.ID, in.EntryID)
		return a.Revision, err
	})
}

func (s *server) putAccount(ctx context.Context, in *struct {
	EntryWriteInput
	Body accountBody
},
) (*accountOutput, error) {
	revision, err := s.accountRevision(ctx, &in.EntryWriteInput)
	if err == nil {
		err = sameID(in.Body.ID, in.EntryID)
	}
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	a, warnings, err := s.backend.PutAccount(ctx, callOf(ctx, ""), in.ID, in.Body.Account, revision)
	return answer(ctx, s, oneAccount(a, warnings), err)
}

func sameID(body, path string) error {
	if body == path {
		return nil
	}
	return idmap.Refusef(idmap.CodeInvalid, "id", "The body is about id %q, and the address about %q. They must be the same.", body, path)
}

// sameIDIfAny lets a body leave its id out.
func sameIDIfAny(body, path string) error {
	if body == "" {
		return nil
	}
	return sameID(body, path)
}

func (s *server) deleteAccount(ctx context.Context, in *EntryWriteInput) (*noOutput, error) {
	revision, err := s.accountRevision(ctx, in)
	if err == nil {
		err = s.backend.DeleteAccount(ctx, callOf(ctx, ""), in.ID, in.EntryID, revision)
	}
	return answer[noOutput](ctx, s, nil, err)
}
