package idmap

import "time"

// JobKindTransfer is the only kind of job that is kept here.
const JobKindTransfer = "transfer"

// JobStatus is how far a job is, in the words of the published API.
type JobStatus string

// The statuses of jobs.
const (
	JobIdle          JobStatus = "idle"
	JobStarted       JobStatus = "start"
	JobRunning       JobStatus = "running"
	JobResumed       JobStatus = "resume"
	JobPaused        JobStatus = "paused"
	JobAwaitingUser  JobStatus = "awaiting-user"
	JobCancelling    JobStatus = "cancelling"
	JobNotComplete   JobStatus = "not-complete"
	JobComplete      JobStatus = "complete"
	JobSucceeded     JobStatus = "success"
	JobWarned        JobStatus = "warn"
	JobFailed        JobStatus = "failed"
	JobFailedToStart JobStatus = "failed-to-start"
	JobCancelled     JobStatus = "cancel"
	JobDeleted       JobStatus = "deleted"
)

// jobStatuses says what the statuses mean for maps, in the order in which they are documented; the first is that of a new
// job.
var jobStatuses = []struct {
	status            JobStatus
	running, finished bool
}{
	{status: JobIdle},
	{status: JobStarted, running: true},
	{status: JobRunning, running: true},
	{status: JobResumed, running: true},
	{status: JobPaused},
	{status: JobAwaitingUser},
	{status: JobCancelling},
	{status: JobNotComplete},
	{status: JobComplete, finished: true},
	{status: JobSucceeded, finished: true},
	{status: JobWarned, finished: true},
	{status: JobFailed, finished: true},
	{status: JobFailedToStart, finished: true},
	{status: JobCancelled, finished: true},
	{status: JobDeleted, finished: true},
}

// JobStatuses returns all statuses; the first is that of a new job.
func JobStatuses() []JobStatus {
	all := make([]JobStatus, len(jobStatuses))
	for i, known := range jobStatuses {
		all[i] = known.status
	}
	return all
}

// Finished reports whether a job in that status is over, so that it no longer needs its maps.
func (s JobStatus) Finished() bool {
	for _, known := range jobStatuses {
		if known.status == s {
			return known.finished
		}
	}
	return false
}

// Running reports whether a job in that status transfers items, by its maps as they are then.
func (s JobStatus) Running() bool {
	for _, known := range jobStatuses {
		if known.status == s {
			return known.running
		}
	}
	return false
}

// Job is a run of the outside migration tool. The backend keeps of it what maps need: its connections, its maps, and
// which of their revisions it used.
type Job struct {
	ID         string      `json:"id,omitempty" doc:"Opaque. Read-only."`
	Name       string      `json:"name,omitempty"`
	Kind       string      `json:"kind" enum:"transfer"`
	Status     JobStatus   `json:"status,omitempty" enum:"idle,start,running,resume,paused,awaiting-user,cancelling,not-complete,complete,success,warn,failed,failed-to-start,cancel,deleted"`
	Transfer   JobTransfer `json:"transfer"`
	Revision   int64       `json:"revision,omitempty" doc:"Read-only."`
	CreatedOn  *time.Time  `json:"created_on,omitempty" doc:"Read-only."`
	ModifiedOn *time.Time  `json:"modified_on,omitempty" doc:"Read-only."`

	_ struct{} `additionalProperties:"true"` // schedules and the like are the tool's
}

// JobTransfer is what a transfer job moves, and by which maps.
type JobTransfer struct {
	Source      JobEnd  `json:"source"`
	Destination JobEnd  `json:"destination"`
	AccountMap  *MapUse `json:"account_map,omitempty"`
	GroupMap    *MapUse `json:"group_map,omitempty"`

	_ struct{} `additionalProperties:"true"`
}

// JobEnd is one side of a job.
type JobEnd struct {
	Connection ConnectionRef `json:"connection"`

	_ struct{} `additionalProperties:"true"`
}

// MapUse says which map a job uses, and which of its revisions: the one of when the job was made, or was started last.
type MapUse struct {
	ID       string `json:"id"`
	Revision int64  `json:"revision,omitempty" doc:"Read-only."`

	_ struct{} `additionalProperties:"true"`
}

// JobFilter selects jobs. Empty fields select all.
type JobFilter struct {
	MapID      string // either map
	Unfinished bool
	Kind       string
	Status     JobStatus
	Query      string // folded text, in the name
}
