package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-cleanhttp"
	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/sync/semaphore"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// The defaults of a Config.
const (
	DefaultMaxRetries            = 4
	DefaultRequestTimeout        = 30 * time.Second
	DefaultMaxConcurrentRequests = 10
)

// Config says how to reach a mapping backend. A field at its zero value takes its default.
type Config struct {
	// Endpoint is the address of the backend: http or https, host, optional port and path prefix.
	Endpoint string
	// Token is sent as the bearer token. Without one, requests carry none.
	Token string
	// Username and Password sign in to a DryvIQ platform, in place of a Token. The token that they give stays in memory.
	Username, Password string
	// CACertFile names a PEM file of authorities that are trusted besides the system's.
	CACertFile string
	// Transport, if set, carries the requests instead of the network, and Endpoint is ignored. See HandlerTransport.
	Transport http.RoundTripper
	// MaxRetries is how often a failed request is sent again: 0 is DefaultMaxRetries, a negative number is never.
	MaxRetries int
	// RequestTimeout is how long one attempt may take, up to the last byte of its answer. Uploads of directory files,
	// what reads, resolves or writes whole maps, and what revokes many sessions have ten minutes instead.
	RequestTimeout time.Duration
	// MaxConcurrentRequests bounds the attempts under way at one time.
	MaxConcurrentRequests int
	// UserAgent names the program.
	UserAgent string
	// Gather lets calls about mappings that come at the same time share a request. What they answer stays the same.
	Gather bool
}

// Client calls one mapping backend. It is safe for concurrent use, and all of its calls share one bound on concurrency
// and one pause when the server says that it is asked too much.
type Client struct {
	name      string   // what errors call the backend
	base      *url.URL // without a slash at the end
	token     string
	password  *password // in place of the token; nil without
	userAgent string
	attempts  *attempts
	retry     *retryablehttp.Client
	server    serverKind
	// The gatherers are nil where each call is a request of its own.
	reads  *gatherer[string, idmap.UserMapping]
	checks *gatherer[check, []idmap.UserMappingVerdict]
	writes *gatherer[idmap.UserMappingIntent, written]
	ahead  *readAhead
}

// New returns a client. It refuses a Config that cannot work, in a sentence for a person, and does no I/O but reading
// the CA file.
func New(config Config) (*Client, error) {
	base, transport, err := route(config)
	if err != nil {
		return nil, err
	}
	if err := checkCredentials(config); err != nil {
		return nil, err
	}
	c := &Client{
		name:      "mapping backend at " + base.String(),
		base:      base,
		token:     config.Token,
		userAgent: orDefault(config.UserAgent, "terraform-provider-idmap"),
		server:    serverKind{turn: semaphore.NewWeighted(1)},
		attempts: newAttempts(transport, newSecrets(config.Token, config.Password),
			orDefault(max(config.RequestTimeout, 0), DefaultRequestTimeout),
			orDefault(max(config.MaxConcurrentRequests, 0), DefaultMaxConcurrentRequests)),
	}
	if config.Username != "" {
		c.password = &password{username: config.Username, password: config.Password, turn: semaphore.NewWeighted(1)}
	}
	if config.Transport != nil {
		c.name = "mapping backend inside this program"
	}
	c.retry = newRetry(c.attempts, max(orDefault(config.MaxRetries, DefaultMaxRetries), 0))
	if config.Gather {
		c.gather()
	}
	return c, nil
}

// Close closes the connections that wait for further calls. It does not interrupt calls.
func (c *Client) Close() {
	if t, ok := c.attempts.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// String names the backend and never a secret.
func (c *Client) String() string { return c.name }

// GoString is String, so that no way of printing a client shows a secret.
func (c *Client) GoString() string { return c.String() }

// NewKey returns a fresh Idempotency-Key.
func NewKey() string { return uuid.NewString() }

func checkCredentials(config Config) error {
	switch {
	case !printable(config.Token):
		return errors.New("the token has blanks, line breaks or characters outside of ASCII. A token is one word. Check how it was copied")
	case config.Token != "" && (config.Username != "" || config.Password != ""):
		return errors.New("there are a token, and a username or a password. One way to sign in is required. Leave out the token, or username and password")
	case config.Username != "" && config.Password == "":
		return errors.New("there is a username without a password. Both are required to sign in to a DryvIQ platform. Add the password, or use a token")
	case config.Username == "" && config.Password != "":
		return errors.New("there is a password without a username. Both are required to sign in to a DryvIQ platform. Add the username, or use a token")
	}
	return nil
}

// route returns where requests go, and what carries them.
func route(config Config) (*url.URL, http.RoundTripper, error) {
	if config.Transport != nil {
		return &url.URL{Scheme: "http", Host: "embedded"}, config.Transport, nil
	}
	base, err := parseEndpoint(config.Endpoint)
	if err != nil {
		return nil, nil, err
	}
	transport := cleanhttp.DefaultPooledTransport()
	transport.MaxIdleConnsPerHost = orDefault(max(config.MaxConcurrentRequests, 0), DefaultMaxConcurrentRequests)
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if config.CACertFile != "" {
		if transport.TLSClientConfig.RootCAs, err = authorities(config.CACertFile); err != nil {
			return nil, nil, err
		}
	}
	return base, transport, nil
}

// parseEndpoint repeats of a refused endpoint only what cannot be a secret: people put passwords and tokens into URLs.
func parseEndpoint(endpoint string) (*url.URL, error) {
	const required = "It must be a URL such as https://idmap.example.com, with a path at most"
	u, err := url.Parse(strings.TrimSpace(endpoint))
	switch {
	case endpoint == "":
		return nil, errors.New("the endpoint is empty. " + required)
	case err != nil:
		return nil, errors.New("the endpoint is no URL. " + required)
	case u.User != nil:
		return nil, errors.New("the endpoint contains a user name. " + required + "; credentials go into the token")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the endpoint does not begin with http:// or https://. " + required)
	case u.Hostname() == "":
		return nil, errors.New("the endpoint names no host. " + required)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("the endpoint has a query or a fragment. " + required)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the CA certificate file cannot be read: %w. It must be a PEM file", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA certificate file %s has no certificate. It must be a PEM file with a block that begins with -----BEGIN CERTIFICATE-----", file)
	}
	return pool, nil
}

func printable(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// orDefault returns v, or its default where it was left out.
func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
