// Package testenv provides what the tests need from outside the module: a
// PostgreSQL server to run against, and a Terraform and an OpenTofu to run the
// provider with.
//
// The command in its folder run starts or finds them, runs another command with
// them, and leaves nothing behind:
//
//	go run ./internal/testenv/run -- go test ./...
//
// Tests never start a server themselves: they take a fresh database from
// [PostgresDatabase], which fails the test, and does not skip it, when there is
// no server to take it from.
package testenv

// The environment variables through which the tests find what they need.
const (
	// PostgresEnv holds the URL of a PostgreSQL server, as a role that may create
	// databases: postgres://user:password@host:port/database.
	PostgresEnv = "IDMAP_TEST_POSTGRES_URL"

	// TerraformEnv holds the path of the Terraform binary. It is the variable that
	// terraform-plugin-testing reads.
	TerraformEnv = "TF_ACC_TERRAFORM_PATH"

	// OpenTofuEnv holds the path of the OpenTofu binary.
	OpenTofuEnv = "IDMAP_TEST_TOFU_PATH"
)
