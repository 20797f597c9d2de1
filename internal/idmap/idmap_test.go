package idmap_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestRefuseTakesTheGravestKind(t *testing.T) {
	t.Parallel()
	v := func(codes ...idmap.Code) (found []idmap.Violation) {
		for _, code := range codes {
			found = append(found, idmap.Violation{Code: code, Description: string(code) + "."})
		}
		return found
	}
	for _, c := range []struct {
		violations []idmap.Violation
		want       idmap.ErrorKind
	}{
		{v(idmap.CodeInvalidEmail), idmap.KindRule},
		{v(idmap.CodeInvalidEmail, idmap.CodeEmailInUse), idmap.KindConflict},
		{v(idmap.CodeRevisionConflict, idmap.CodeInvalidEmail), idmap.KindRevision},
		{v("a_code_of_a_later_release"), idmap.KindConflict},
	} {
		if err := idmap.Refuse(c.violations...); !idmap.IsKind(err, c.want) {
			t.Errorf("%v: got %+v, want kind %d", c.violations, err, c.want)
		}
	}
	if err := idmap.Refuse(); err != nil {
		t.Errorf("no violation is an error: %v", err)
	}
	cause := idmap.Unavailable(io.ErrUnexpectedEOF, time.Second)
	if wrapped := fmt.Errorf("while reading: %w", cause); !errors.Is(wrapped, io.ErrUnexpectedEOF) || !idmap.IsKind(wrapped, idmap.KindUnavailable) {
		t.Error("the cause is lost")
	}
}

func TestEveryCodeIsDocumentedOnce(t *testing.T) {
	t.Parallel()
	seen := map[idmap.Code]bool{}
	for _, info := range idmap.Codes() {
		if seen[info.Code] || info.Meaning == "" {
			t.Errorf("code %s is there twice, or means nothing", info.Code)
		}
		seen[info.Code] = true
	}
}

func TestTokensIncludeWeakerScopes(t *testing.T) {
	t.Parallel()
	writer := idmap.Token{Scopes: []idmap.Scope{idmap.ScopeWrite}}
	if !writer.Allows(idmap.ScopeRead) || !writer.Allows(idmap.ScopeWrite) || writer.Allows(idmap.ScopeAdmin) || (idmap.Token{}).Allows(idmap.ScopeRead) {
		t.Error("scopes are compared wrongly")
	}
	moment := time.Unix(100, 0)
	if expired := (idmap.Token{ExpiresOn: &moment}); !expired.Expired(moment) || expired.Expired(moment.Add(-1)) || (idmap.Token{}).Expired(moment) {
		t.Error("expiry is compared wrongly")
	}
}

func TestHoldersAreComparedByAccountWhereKnown(t *testing.T) {
	t.Parallel()
	holder := func(account, user string) idmap.EmailHolder {
		return idmap.EmailHolder{Connection: idmap.Ref{ID: "c"}, Account: idmap.RefTo(account), UserID: user}
	}
	for _, c := range []struct {
		a, b idmap.EmailHolder
		same bool
	}{
		{holder("1", "jane"), holder("1", "renamed"), true},
		{holder("1", "jane"), holder("2", "jane"), false},
		{holder("1", "jane"), holder("", "jane"), true},
		{holder("", "jane"), holder("", "bob"), false},
		{holder("", ""), holder("", ""), false},
	} {
		if c.a.Same(c.b) != c.same || c.b.Same(c.a) != c.same {
			t.Errorf("%+v and %+v: same is not %v", c.a, c.b, c.same)
		}
	}
}

func TestPlatformsAreWhatTheDesignSays(t *testing.T) {
	t.Parallel()
	dynamics, _ := idmap.PlatformByID("dynamics_crm")
	sales, _ := idmap.PlatformByID("oracle_sales")
	salesforce, _ := idmap.PlatformByID("salesforce")
	if !dynamics.ImportCreatesStubs || dynamics.EmailMax != 100 || !sales.Features.ExclusiveMail || salesforce.EmailMax != 80 {
		t.Errorf("got %+v, %+v, %+v", dynamics, sales, salesforce)
	}
	if _, known := idmap.PlatformByID("nowhere"); known || len(idmap.PlatformIDs()) != 12 {
		t.Errorf("got %v", idmap.PlatformIDs())
	}
}
