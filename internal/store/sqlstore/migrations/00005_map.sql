-- Account maps and group maps, and what the jobs that use them need of them.

CREATE TABLE maps (
    id                        {{key}} NOT NULL PRIMARY KEY,
    kind                      {{key}} NOT NULL, -- account_map or group_map
    name                      TEXT    NOT NULL,
    name_key                  {{key}} NOT NULL,
    name_digest               {{key}} NOT NULL, -- of name_key, which may be too long for an index of PostgreSQL
    source_connection_id      {{key}} NOT NULL REFERENCES connections (id),
    source_default            TEXT    NOT NULL, -- JSON, '' for none
    destination_connection_id {{key}} NOT NULL REFERENCES connections (id),
    destination_default       TEXT    NOT NULL,
    unmapped_policy           TEXT    NOT NULL,
    map_by                    TEXT    NOT NULL, -- JSON
    revision                  BIGINT  NOT NULL,
    created_on                BIGINT,
    modified_on               BIGINT
);

CREATE UNIQUE INDEX maps_name ON maps (kind, name_digest);

-- The exceptions and exclusions of maps. The unique index is the backstop of the rule duplicate_exception.
CREATE TABLE map_items (
    map_id         {{key}} NOT NULL REFERENCES maps (id) ON DELETE CASCADE,
    id             {{key}} NOT NULL,
    role           {{key}} NOT NULL,
    subject_id     {{key}} NOT NULL,
    subject_digest {{key}} NOT NULL, -- of what the subject is called: its JSON without its id and type; '' for nothing
    target_id      {{key}} NOT NULL, -- '' for none
    subject        TEXT    NOT NULL, -- JSON
    target         TEXT    NOT NULL, -- JSON
    search         {{key}} NOT NULL,
    PRIMARY KEY (map_id, id)
);

CREATE UNIQUE INDEX map_items_subject ON map_items (map_id, subject_id, role);
CREATE INDEX map_items_called ON map_items (map_id, subject_digest);
CREATE INDEX map_items_target ON map_items (map_id, target_id);

-- Maps as jobs used them. They outlive the map, and go when no job uses them any more.
CREATE TABLE map_revisions (
    map_id   {{key}} NOT NULL,
    revision BIGINT  NOT NULL,
    kind     {{key}} NOT NULL,
    map_json TEXT    NOT NULL, -- with its items
    PRIMARY KEY (map_id, revision)
);

-- Jobs outlive their connections and maps, so they refer to none of them.
CREATE TABLE jobs (
    id                        {{key}} NOT NULL PRIMARY KEY,
    name                      TEXT    NOT NULL,
    name_key                  {{key}} NOT NULL,
    kind                      {{key}} NOT NULL,
    status                    {{key}} NOT NULL,
    source_connection_id      {{key}} NOT NULL,
    destination_connection_id {{key}} NOT NULL,
    account_map_id            {{key}} NOT NULL, -- '' for none
    account_map_revision      BIGINT  NOT NULL,
    group_map_id              {{key}} NOT NULL,
    group_map_revision        BIGINT  NOT NULL,
    revision                  BIGINT  NOT NULL,
    created_on                BIGINT,
    modified_on               BIGINT
);

CREATE INDEX jobs_account_map ON jobs (account_map_id, account_map_revision);
CREATE INDEX jobs_group_map ON jobs (group_map_id, group_map_revision);
