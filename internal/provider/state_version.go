package provider

// The versions of what the resources write into the state: of the attributes of each, and of the identity that all have.
// What a release has written under a version is read by every later one, so tests hold the schemas, and states that
// releases have written, against testdata/state. A further attribute that may be null needs no other version. To remove,
// rename or retype one:
//
//  1. raise the version here;
//  2. make the resource a resource.ResourceWithUpgradeState (of an identity: ResourceWithUpgradeIdentity), whose upgrader
//     for each earlier version returns what is now written;
//  3. run the tests: their message says how the schema of the new version, and a state that has it, are written to
//     testdata/state. What earlier versions wrote stays there as it is.
const (
	userMappingVersion  = 0
	userMappingsVersion = 0
	accountMapVersion   = 0
	groupMapVersion     = 0
	connectionVersion   = 0
	identityVersion     = 0
)
