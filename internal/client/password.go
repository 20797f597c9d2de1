package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"
	"golang.org/x/sync/semaphore"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// password signs a user in: the OAuth 2 password grant, which is how programs sign in to a DryvIQ platform.
type password struct {
	username, password string

	turn    *semaphore.Weighted // one call signs in, the others wait for its token
	token   *oauth2.Token       // the last one
	refused error               // for good: many calls with a wrong password would lock the user out
}

// bearer returns the token that requests carry, or "". A refused one is not returned again, where another can be had.
func (c *Client) bearer(ctx context.Context, refused string) (string, error) {
	p := c.password
	if p == nil {
		return c.token, nil
	}
	if err := p.turn.Acquire(ctx, 1); err != nil {
		return "", c.failure(ctx, &callState{}, err)
	}
	defer p.turn.Release(1)
	if p.refused != nil {
		return "", p.refused
	}
	if p.token.Valid() && p.token.AccessToken != refused {
		return p.token.AccessToken, nil
	}
	token, err := c.signIn(ctx)
	if err != nil {
		if idmap.IsKind(err, idmap.KindUnauthorized) {
			p.refused = err
		}
		return "", err
	}
	c.attempts.secrets.add(token.AccessToken, token.RefreshToken)
	p.token = token
	return token.AccessToken, nil
}

func (c *Client) signIn(ctx context.Context) (*oauth2.Token, error) {
	state := &callState{secret: true}
	address := c.base.JoinPath("connect", "token")
	config := oauth2.Config{
		Endpoint: oauth2.Endpoint{TokenURL: address.String(), AuthStyle: oauth2.AuthStyleInParams},
		Scopes:   []string{"profile", "roles"},
	}
	// Redirects are followed, or not, within: followed here they would take the password elsewhere.
	client := &http.Client{
		Transport:     &retryablehttp.RoundTripper{Client: c.retry},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx = context.WithValue(context.WithValue(ctx, callKey{}, state), oauth2.HTTPClient, client)
	token, err := config.PasswordCredentialsToken(ctx, c.password.username, c.password.password)
	if err != nil {
		return nil, c.signInFailure(ctx, state, address, err)
	}
	if !printable(token.AccessToken) {
		return nil, &ForeignServerError{Method: http.MethodPost, URL: bare(address), Status: state.status, Reason: "the token that it hands out cannot be sent"}
	}
	return token, nil
}

// signInFailure says what went wrong without what the answer said: package oauth2 prints that, and servers may repeat in
// it what they were sent.
func (c *Client) signInFailure(ctx context.Context, state *callState, address *url.URL, err error) error {
	if _, broken := errors.AsType[*url.Error](err); broken {
		return c.failure(ctx, state, err)
	}
	answered, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return &ForeignServerError{Method: http.MethodPost, URL: bare(address), Status: state.status, Reason: "its answer has no token"}
	}
	a := &answer{answered.Response, answered.Body}
	html := len(a.content) > 0 && !isJSON(a.Header.Get("Content-Type"))
	switch {
	case outOfReach(a):
		return &UnreachableError{Backend: c.name, Attempts: state.attempts, Status: a.StatusCode, RequestID: clip(a.Header.Get("X-Request-Id"))}
	case a.StatusCode/100 == 3:
		return foreign(a, redirectReason(a))
	case html:
		return foreign(a, "")
	case a.StatusCode == http.StatusNotFound || a.StatusCode == http.StatusMethodNotAllowed:
		return idmap.Refusef(idmap.CodeUnauthorized, "", "The %s has no sign-in with a username and a password, as a DryvIQ platform has. "+
			"Use a token instead, or check the endpoint with its path.", c.name)
	}
	return idmap.Refusef(idmap.CodeUnauthorized, "", "The %s refused the username and the password. Those of a user of a DryvIQ platform are required. "+
		"Check both, that the user is not locked and may sign in with a password, and that the endpoint is the right platform's.", c.name)
}
