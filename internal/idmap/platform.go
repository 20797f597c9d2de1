package idmap

// Platform is what a kind of connection supports. It is fixed by the product, not by the user.
type Platform struct {
	// ID is the stable name of the platform, such as "microsoft365".
	ID string
	// Features are what the platform supports and demands.
	Features Features
	// ImportCreatesStubs: an account that an import writes without a user type is a stub.
	ImportCreatesStubs bool
	// EmailMax is the longest address that the platform stores, in characters.
	EmailMax int
}

// Features are the abilities of a connection that depend on its platform only.
type Features struct {
	Fuzzy         bool `json:"fuzzy" doc:"Maps may match names partially."`
	ExternalUsers bool `json:"external_users" doc:"Maps may keep guests as they are."`
	ExclusiveMail bool `json:"exclusive_mail" doc:"One address maps to one connection of this platform only."`
}

var platforms = []Platform{
	platform("microsoft365", func(p *Platform) { p.Features.Fuzzy, p.Features.ExternalUsers = true, true }),
	platform("oracle_sales", func(p *Platform) { p.Features.ExclusiveMail = true }),
	platform("salesforce", func(p *Platform) { p.EmailMax = 80 }),
	platform("dynamics_crm", func(p *Platform) { p.ImportCreatesStubs, p.EmailMax = true, 100 }),
	platform("rm_unify", func(*Platform) {}),
	platform("active_directory", func(p *Platform) { p.Features.Fuzzy = true }),
	platform("sharepoint_online", files),
	platform("onedrive_business", files),
	platform("box", files),
	platform("google_drive", files),
	platform("network_file_share", files),
	platform("generic", files),
}

func platform(id string, set func(*Platform)) Platform {
	p := Platform{ID: id, EmailMax: MaxEmailLength}
	set(&p)
	return p
}

func files(p *Platform) { p.Features.Fuzzy, p.Features.ExternalUsers = true, true }

// PlatformByID returns the platform of that id. An unknown id gives false.
func PlatformByID(id string) (Platform, bool) {
	for _, p := range platforms {
		if p.ID == id {
			return p, true
		}
	}
	return Platform{}, false
}

// PlatformIDs returns the ids of all platforms, in the order in which they are documented.
func PlatformIDs() []string {
	ids := make([]string, len(platforms))
	for i, p := range platforms {
		ids[i] = p.ID
	}
	return ids
}
