// Package plugin serves a provider to Terraform as cheaply as the libraries of a plugin let it.
package plugin

import (
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// Address is the source address of the provider.
const Address = "registry.terraform.io/idmap/idmap"

// Serve serves the provider until Terraform, which started this process, is done with it.
func Serve(of provider.Provider) error {
	if err := logAsTerraform(); err != nil {
		return err
	}
	go endWithTerraform()
	return serve(of)
}

// ServeDebugged serves the provider to any Terraform that is told the address which this prints, until it is interrupted.
// It logs everything to the standard error.
func ServeDebugged(of provider.Provider) error {
	return serve(of, tf6server.WithManagedDebug())
}

func serve(of provider.Provider, options ...tf6server.ServeOpt) error {
	framework := providerserver.NewProtocol6(of)
	return tf6server.Serve(Address, func() tfprotov6.ProviderServer { return forgetful(framework()) }, options...)
}

// endWithTerraform ends the process when Terraform, which started it, is gone. Killed, Terraform ends none of its
// providers, and one that waits for its next call would wait for ever.
func endWithTerraform() {
	terraform := os.Getppid()
	for os.Getppid() == terraform {
		time.Sleep(time.Second)
	}
	os.Exit(1)
}
