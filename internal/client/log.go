package client

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// attemptLog logs one attempt. Requests and answers go to the debug log, their JSON bodies to the trace log. The
// Authorization header is never logged, nor is what looks like a secret in a body, nor is any body of a secret call.
type attemptLog struct {
	ctx     context.Context
	secret  bool
	secrets *secrets
	fields  map[string]any
	began   time.Time
}

func (a *attempts) logRequest(req *http.Request) *attemptLog {
	state := callOf(req.Context())
	state.attempts++
	l := &attemptLog{ctx: req.Context(), secret: state.secret, secrets: a.secrets, began: time.Now(), fields: map[string]any{
		"method":  req.Method,
		"path":    req.URL.EscapedPath(),
		"attempt": state.attempts,
	}}
	tflog.Debug(l.ctx, "Sending request to mapping backend", l.fields)
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			l.body("Request body", req.Header, body)
		}
	}
	return l
}

func (l *attemptLog) answer(resp *http.Response, err error) {
	l.fields["duration_ms"] = time.Since(l.began).Milliseconds()
	if err != nil {
		l.fields["error"] = l.secrets.mask(err.Error())
		tflog.Debug(l.ctx, "No answer from mapping backend", l.fields)
		return
	}
	l.fields["status"] = resp.StatusCode
	l.fields["request_id"] = resp.Header.Get("X-Request-Id")
	tflog.Debug(l.ctx, "Received answer from mapping backend", l.fields)
	if body, ok := resp.Body.(answerBody); ok {
		l.body("Answer body", resp.Header, bytes.NewReader(body.content))
	}
}

// body logs a JSON body. Others are directory files, which are large and are on somebody's disk already, or pages of
// servers that are not ours.
func (l *attemptLog) body(message string, header http.Header, body io.Reader) {
	if l.secret || !tflog.IsTrace(l.ctx) || !isJSON(header.Get("Content-Type")) {
		return
	}
	content, err := io.ReadAll(body)
	if err != nil || len(content) == 0 {
		return
	}
	tflog.Trace(l.ctx, message, map[string]any{"path": l.fields["path"], "attempt": l.fields["attempt"], "body": l.secrets.mask(string(content))})
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}
