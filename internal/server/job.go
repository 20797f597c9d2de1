package server

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type jobBody struct {
	Type typeOf[jobNoun] `json:"type,omitempty"`
	idmap.Job

	_ struct{} `additionalProperties:"true"` // of a job the backend keeps only what maps need
}

type jobOutput = oneOutput[jobNoun, idmap.Job]

func oneJob(j idmap.Job) *jobOutput { return stored[jobNoun](j, j.Revision, nil) }

type jobsInput struct {
	ListInput
	Kind   string `query:"kind" maxLength:"100"`
	Status string `query:"status" maxLength:"100"`
	Map    string `query:"map" maxLength:"255" doc:"Id of an account map or a group map."`
	Active string `query:"active" enum:"true,false" doc:"true: only those that are not finished."`
}

type jobPatchInput struct {
	WriteInput
	Start   string `query:"start" enum:"1,true" doc:"Set the status start."`
	Pause   string `query:"pause" enum:"1,true" doc:"Set the status paused."`
	Resume  string `query:"resume" enum:"1,true" doc:"Set the status resume."`
	Cancel  string `query:"cancel" enum:"1,true" doc:"Set the status cancel."`
	RawBody []byte `contentType:"application/merge-patch+json"`
}

// status returns what the query makes of the job's status, or "".
func (in *jobPatchInput) status() (idmap.JobStatus, error) {
	var wanted idmap.JobStatus
	for _, order := range []struct {
		given  string
		status idmap.JobStatus
	}{{in.Start, idmap.JobStarted}, {in.Pause, idmap.JobPaused}, {in.Resume, idmap.JobResumed}, {in.Cancel, idmap.JobCancelled}} {
		if order.given == "" {
			continue
		}
		if wanted != "" {
			return "", idmap.Refusef(idmap.CodeMalformed, "query", "The address asks for two things at once. Send one of start=1, pause=1, resume=1 and cancel=1.")
		}
		wanted = order.status
	}
	return wanted, nil
}

func (s *server) jobs() {
	const collection, one = "/v1/jobs", "/v1/jobs/{id}"
	huma.Register(s.api, operation(http.MethodGet, collection, idmap.ScopeRead, "List jobs"), s.listJobs)
	huma.Register(s.api, created(operation(http.MethodPost, collection, idmap.ScopeWrite, "Create a job: a record of one of the migration tool")), s.createJob)
	huma.Register(s.api, operation(http.MethodGet, one, idmap.ScopeRead, "Get a job"), s.getJob)
	huma.Register(s.api, operation(http.MethodPut, one, idmap.ScopeWrite, "Replace a job"), s.putJob)
	huma.Register(s.api, patchOperation(one, "Change a job (merge patch), or its status by the query alone"), s.patchJob)
	huma.Register(s.api, operation(http.MethodDelete, one, idmap.ScopeWrite, "Delete a job"), s.deleteJob)
	s.api.OpenAPI().Paths[one].Patch.RequestBody.Required = false
	s.securityMaps()
}

func (s *server) listJobs(ctx context.Context, in *jobsInput) (*listOutput[jobNoun, idmap.Job], error) {
	f := idmap.JobFilter{
		MapID: in.Map, Unfinished: in.Active == "true", Kind: in.Kind, Status: idmap.JobStatus(in.Status), Query: folded(in.Q),
	}
	return list[jobNoun](ctx, s, &in.PageInput, func(j idmap.Job) string { return j.ID }, func(page idmap.Page) (backend.List[idmap.Job], error) {
		return s.backend.Jobs(ctx, f, page)
	})
}

func (s *server) createJob(ctx context.Context, in *struct {
	CreateInput
	Body jobBody
},
) (*jobOutput, error) {
	j, err := s.backend.CreateJob(ctx, callOf(ctx, in.IdempotencyKey), in.Body.Job)
	return answer(ctx, s, oneJob(j), err)
}

func (s *server) getJob(ctx context.Context, in *ReadInput) (*jobOutput, error) {
	j, err := s.backend.Job(ctx, in.ID)
	return answer(ctx, s, oneJob(j), err)
}

func (s *server) putJob(ctx context.Context, in *struct {
	WriteInput
	Body jobBody
},
) (*jobOutput, error) {
	return s.changeJob(ctx, &in.WriteInput, func(idmap.Job) (idmap.Job, error) {
		return in.Body.Job, sameIDIfAny(in.Body.ID, in.ID)
	})
}

func (s *server) patchJob(ctx context.Context, in *jobPatchInput) (*jobOutput, error) {
	status, err := in.status()
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	return s.changeJob(ctx, &in.WriteInput, func(before idmap.Job) (idmap.Job, error) {
		if status == "" || len(bytes.TrimSpace(in.RawBody)) > 0 {
			body, err := patch(s.api, jobBody{Job: before}, in.RawBody)
			if err == nil {
				err = sameIDIfAny(body.ID, in.ID)
			}
			if before = body.Job; err != nil {
				return before, err
			}
		}
		if status != "" {
			before.Status = status
		}
		return before, nil
	})
}

func (s *server) changeJob(ctx context.Context, in *WriteInput, change func(idmap.Job) (idmap.Job, error)) (*jobOutput, error) {
	revision, err := s.jobRevision(ctx, in)
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	j, err := s.backend.UpdateJob(ctx, callOf(ctx, ""), in.ID, revision, change)
	return answer(ctx, s, oneJob(j), err)
}

func (s *server) jobRevision(ctx context.Context, in *WriteInput) (int64, error) {
	return ifMatch(in.IfMatch, func() (int64, error) {
		j, err := s.backend.Job(ctx, in.ID)
		return j.Revision, err
	})
}

func (s *server) deleteJob(ctx context.Context, in *WriteInput) (*noOutput, error) {
	revision, err := s.jobRevision(ctx, in)
	if err == nil {
		err = s.backend.DeleteJob(ctx, callOf(ctx, ""), in.ID, revision)
	}
	return answer[noOutput](ctx, s, nil, err)
}
